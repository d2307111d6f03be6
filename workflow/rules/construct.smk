# From raw pictures to a dataset, stage by stage: each reads the manifest of all pictures and writes its own.
# Crops and what was measured lie beside the manifests and are not declared: a killed stage goes on.

STAGE_COMMAND = (
    "(set -x; data-prep construct {params.stage} --obtained {input.obtained:q} --side {params.side:q}"
    " --settings {params.settings:q} {params.options:q} --output {output:q} --threads {threads}) &> {log:q}"
)

CONSTRUCTION_REPORT_CODE = [
    *(
        f"data_prep/{name}.py"
        for name in ("stages/report", "funnel", "contact_sheet", "items", "raw_pictures")
    ),
    "data_prep/paper_funnel.csv",
    "ugatit/images.py",
]


rule index:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
    output:
        "<data>/{dataset}/stages/{side}/index.csv",
    log:
        "<logs>/index/{dataset}_{side}.log",
    wildcard_constraints:
        dataset=one_of(CONSTRUCTED),
    threads: 8
    params:
        stage="index",
        version=STAGE_VERSIONS["index"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings="{}",
        options=[],
        table=table_read_by("index"),  # inherited below, where it changes nothing: all follow the index
    shell:
        STAGE_COMMAND


use rule index as decode with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/index.csv",
    output:
        "<data>/{dataset}/stages/{side}/decode.csv",
    log:
        "<logs>/decode/{dataset}_{side}.log",
    params:
        stage="decode",
        version=STAGE_VERSIONS["decode"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=settings_of("decode"),
        options=lambda w, input: ["--input", input.before],


use rule index as select with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/decode.csv",
    output:
        "<data>/{dataset}/stages/{side}/select.csv",
    log:
        "<logs>/select/{dataset}_{side}.log",
    params:
        stage="select",
        version=STAGE_VERSIONS["select"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=settings_of("select"),
        options=lambda w, input: ["--input", input.before],
        table=table_read_by("select"),


use rule index as detect with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/select.csv",
        cascade=cascade_of,
    output:
        "<data>/{dataset}/stages/{side}/detect.csv",
    log:
        "<logs>/detect/{dataset}_{side}.log",
    params:
        stage="detect",
        version=STAGE_VERSIONS["detect"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=settings_of("detect"),
        options=lambda w, input: ["--input", input.before],


use rule index as crop with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/detect.csv",
    output:
        "<data>/{dataset}/stages/{side}/crop.csv",
    log:
        "<logs>/crop/{dataset}_{side}.log",
    params:
        stage="crop",
        version=STAGE_VERSIONS["crop"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=settings_of("crop"),
        options=lambda w, input: ["--input", input.before],


use rule index as quality with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/crop.csv",
    output:
        "<data>/{dataset}/stages/{side}/quality.csv",
    log:
        "<logs>/quality/{dataset}_{side}.log",
    params:
        stage="quality",
        version=STAGE_VERSIONS["quality"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=settings_of("quality"),
        options=lambda w, input: ["--input", input.before],


use rule index as dedupe with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/quality.csv",
    output:
        "<data>/{dataset}/stages/{side}/dedupe.csv",
    log:
        "<logs>/dedupe/{dataset}_{side}.log",
    params:
        stage="dedupe",
        version=STAGE_VERSIONS["dedupe"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=settings_of("dedupe"),
        options=lambda w, input: ["--input", input.before],


use rule index as review with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/dedupe.csv",
    output:
        "<data>/{dataset}/stages/{side}/review.csv",
    log:
        "<logs>/review/{dataset}_{side}.log",
    params:
        stage="review",
        version=STAGE_VERSIONS["review"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=lambda w: stages_of(w).model_dump_json(),
        options=lambda w, input: [
            *("--input", input.before, "--decisions", PARAMS.datasets[w.dataset].source.decisions),
            *("--dataset", w.dataset, *auto_option(w)),
        ],
        decisions=decisions_state,
        auto=auto_option,


use rule index as upscale with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/review.csv",
    output:
        "<data>/{dataset}/stages/{side}/upscale.csv",
    log:
        "<logs>/upscale/{dataset}_{side}.log",
    params:
        stage="upscale",
        version=STAGE_VERSIONS["upscale"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=settings_of("upscale"),
        options=lambda w, input: ["--input", input.before],


use rule index as split with:
    input:
        obtained=lambda w: f"<raw>/{raw_side(w).source}.json",
        before="<data>/{dataset}/stages/{side}/upscale.csv",
    output:
        "<data>/{dataset}/stages/{side}/split.csv",
    log:
        "<logs>/split/{dataset}_{side}.log",
    params:
        stage="split",
        version=STAGE_VERSIONS["split"],
        side=lambda w: raw_side(w).model_dump_json(),
        settings=settings_of("split"),
        options=lambda w, input: [
            *("--input", input.before, "--train", wanted(w, "train"), "--test", wanted(w, "test")),
        ],
        wanted=lambda w: [wanted(w, "train"), wanted(w, "test")],


rule export:
    input:
        a="<data>/{dataset}/stages/a/split.csv",
        b="<data>/{dataset}/stages/b/split.csv",
    output:
        "<data>/{dataset}/stages/export.csv",
    log:
        "<logs>/export/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(CONSTRUCTED),
    threads: 8
    params:
        version=STAGE_VERSIONS["export"],
        settings=lambda w: checked(PARAMS.construction_of, w.dataset).model_dump_json(),
        auto=auto_option,
        folder=lambda w: str(Path(PARAMS.paths.data, w.dataset)),
    shell:
        "(set -x; data-prep export --side-a {input.a:q} --side-b {input.b:q} --settings {params.settings:q}"
        " {params.auto:q} --output {params.folder:q} --threads {threads}) &> {log:q}"


rule verify:
    input:
        "<data>/{dataset}/stages/export.csv",
    output:
        "<data>/{dataset}/manifest.csv",
    log:
        "<logs>/verify/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(CONSTRUCTED),
    threads: 8
    params:
        version=STAGE_VERSIONS["verify"],
        size_px=lambda w: checked(PARAMS.construction_of, w.dataset).a.upscale.size_px,
        pictures=insisted_counts,
    shell:
        "(set -x; data-prep verify {input:q} --size-px {params.size_px} --pictures {params.pictures:q}"
        " --output {output:q} --threads {threads}) &> {log:q}"


rule report_construction:
    input:
        a="<data>/{dataset}/stages/a/split.csv",
        b="<data>/{dataset}/stages/b/split.csv",
        obtained=lambda w: [f"<raw>/{raw.source}.json" for raw in raw_sides(w)],
        code=CONSTRUCTION_REPORT_CODE,
    output:
        report(
            multiext("<data>/{dataset}/report/funnel", ".csv", ".md", ".png"),
            category="datasets",
            labels={"dataset": "{dataset}", "what": "funnel"},
        ),
        report(
            multiext("<data>/{dataset}/report/", "kept_a.png", "kept_b.png", "out_a.png", "out_b.png"),
            category="datasets",
            labels={"dataset": "{dataset}", "what": "pictures"},
        ),
    log:
        "<logs>/report_construction/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(CONSTRUCTED),
    params:
        sides=lambda w, input: [
            option
            for raw, record, domain in zip(
                raw_sides(w), input.obtained, PARAMS.datasets[w.dataset].domains, strict=True
            )
            for option in ("--raw-side", raw.model_dump_json(), "--obtained", record, "--domain", domain)
        ],
        domains=lambda w: PARAMS.datasets[w.dataset].domains,
        auto=auto_option,
        folder=subpath(output[0], parent=True),
    shell:
        "(set -x; data-prep funnel --side-a {input.a:q} --side-b {input.b:q} {params.sides:q}"
        " {params.auto:q} --output {params.folder:q}) &> {log:q}"


rule constructions:
    input:
        [f"<data>/{d}/report/funnel.md" for d in plan.planned_datasets(PARAMS) if d in CONSTRUCTED],
