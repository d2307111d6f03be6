# From everything that was made to one folder that people open. It plans what the tables plan, and nothing more.

REPORT = checked(report_settings, PARAMS)
REPORT_CODE = [
    *sorted(
        str(path) for part in ("report", "provenance") for path in Path("ugatit/reporting", part).glob("*.*")
    ),
    "ugatit/reporting/collect.py",
    "ugatit/reporting/status.py",
    "ugatit/evaluation/attention.py",
    "ugatit/evaluation/heat_map.py",
    "ugatit/images.py",
]


# Samples of trainings, which are no output of a rule, are shown where they are there.
rule make_report:
    input:
        tables=rules.tables.input,
        sheets=rules.sheets.input,
        figures=rules.figures.input,
        constructions=rules.constructions.input,
        data=[f"<data>/{dataset['name']}/manifest.csv" for dataset in REPORT["datasets"]],
        translations=[
            f"<results>/{run['folder']}/translations/{direction}/manifest.csv"
            for run in REPORT["runs"]
            for direction in run["directions"]
        ],
        scores=[
            f"<results>/{run['folder']}/scores/{direction}.csv"
            for run in REPORT["runs"]
            for direction in run["directions"]
        ],
        attention=[
            f"<results>/{run['folder']}/attention/{direction}/attention.json"
            for run in REPORT["runs"]
            if run["attends"]
            for direction in run["directions"]
        ],
        code=REPORT_CODE,
    output:
        "<results>/report/index.html",
    log:
        "<logs>/make_report.log",
    threads: 8
    params:
        settings=json.dumps(REPORT),
        folder=subpath(output[0], parent=True),
    shell:
        "(set -x; ugatit report --settings {params.settings:q} --output {params.folder:q} --threads {threads})"
        " &> {log:q}"
