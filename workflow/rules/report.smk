# From the metrics of many runs, and from networks, to tables; from translations to sheets.

TABLE_CODE = [
    "ugatit/reporting/tables.py",
    "ugatit/reporting/cells.py",
    "ugatit/reporting/collect.py",
    "ugatit/reporting/table_layout.py",
    "ugatit/reporting/markup.py",
    "ugatit/reporting/architecture.py",
    "ugatit/reporting/layers.py",
    *PAPER_VALUES_CODE,
]
SHEET_CODE = [
    "ugatit/images.py",
    *(f"ugatit/reporting/{name}.py" for name in ("sheet", "tiles", "lettering")),
]


localrules:
    collect_metrics,
    make_table,
    summarize_tables,


rule collect_metrics:
    input:
        metrics=lambda w: [
            f"<results>/{folder}/metrics.json" for folder in checked(plan.table_folders, PARAMS, w.table)
        ],
        code="ugatit/reporting/collect.py",
    output:
        "<results>/metrics/{table}.csv",
    log:
        "<logs>/collect_metrics/{table}.log",
    shell:
        "(set -x; ugatit collect {input.metrics:q} --output {output:q}) &> {log:q}"


# Only tables of metrics need runs. Tables of layers know the networks' code by its `numerics`, as runs do.
rule make_table:
    input:
        metrics=table_metrics,
        code=TABLE_CODE,
    output:
        report(
            "<results>/tables/{table}.csv",
            caption="../report/table.rst",
            category="tables",
            labels={"table": "{table}"},
        ),
        multiext("<results>/tables/{table}", ".md", ".tex"),
    log:
        "<logs>/make_table/{table}.log",
    params:
        settings=lambda w: json.dumps(checked(table_settings, PARAMS, w.table)),
        metrics=lambda w, input: ["--metrics", *input.metrics] if input.metrics else [],
        stem=lambda w, output: output[0].removesuffix(".csv"),
    shell:
        "(set -x; ugatit table {wildcards.table} {params.metrics:q} --settings {params.settings:q}"
        " --output-stem {params.stem:q}) &> {log:q}"


rule draw_sheet:
    input:
        pictures="<data>/{dataset}/manifest.csv",
        translations=lambda w: [
            f"<results>/{folder}/translations/{w.direction}/manifest.csv"
            for _, folder in plan.sheet_columns(PARAMS, w.dataset, w.direction)
        ],
        code=SHEET_CODE,
    output:
        report(
            "<results>/sheets/{dataset}_{direction}.png",
            caption="../report/sheet.rst",
            category="sheets",
            labels={"dataset": "{dataset}", "direction": "{direction}"},
        ),
    log:
        "<logs>/draw_sheet/{dataset}_{direction}.log",
    params:
        labels=sheet_labels,
        columns=sheet_options,
        source=lambda w: PARAMS.datasets[w.dataset].domains[DIRECTIONS.index(w.direction)],
        rows=PARAMS.sheet.pictures,
        seed=PARAMS.sheet.seed,
    shell:
        "(set -x; ugatit sheet --pictures {input.pictures:q} --direction {wildcards.direction} {params.columns:q}"
        " --source-label {params.source:q} --rows {params.rows} --seed {params.seed} --output {output:q})"
        " &> {log:q}"


# A digest of the tables of metrics, for programs: DVC's metrics and plots.
rule summarize_tables:
    input:
        tables=expand("<results>/tables/{table}.csv", table=plan.planned_metrics_tables(PARAMS)),
        code="ugatit/reporting/summary.py",
    output:
        metrics="<results>/tables/summary.json",
        points="<results>/tables/points.json",
    log:
        "<logs>/summarize_tables.log",
    shell:
        "(set -x; ugatit summarize {input.tables:q} --metrics {output.metrics:q} --points {output.points:q})"
        " &> {log:q}"


rule tables:
    input:
        expand(
            "<results>/tables/{table}.{suffix}",
            table=plan.planned_tables(PARAMS),
            suffix=["csv", "md", "tex"],
        ),


rule sheets:
    input:
        [f"<results>/sheets/{dataset}_{direction}.png" for dataset, direction in plan.planned_sheets(PARAMS)],
