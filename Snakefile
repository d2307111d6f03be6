# Entry point: `snakemake --cores all` makes every table and sheet and the report, from raw pictures. See README.md.


configfile: "params.yaml"


include: "workflow/rules/parameters.smk"


pathvars:
    raw=PARAMS.paths.raw,
    data=PARAMS.paths.data,
    results=PARAMS.paths.results,
    logs=f"{PARAMS.paths.results}/logs",
    benchmarks=f"{PARAMS.paths.results}/benchmarks",


# A limit on `gpu` is meant for this machine; a cluster counts its own.
resource_scopes:
    gpu="local",


wildcard_constraints:
    dataset=one_of(PARAMS.datasets),
    source=one_of(PARAMS.sources),
    side="a|b",
    model=one_of(plan.trained_models(PARAMS)),
    external=one_of(plan.external_models(PARAMS)),
    seed="0|[1-9][0-9]*",
    direction=one_of(DIRECTIONS),
    split="(train|test)[AB]",
    table=one_of(PARAMS.tables),
    figure=one_of(PARAMS.figures),


localrules:
    all,
    datasets,
    models,
    evaluations,
    tables,
    figures,
    sheets,
    constructions,


include: "workflow/rules/fetch.smk"
include: "workflow/rules/construct.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/translate.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report_page.smk"


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.sheets.input,
        rules.constructions.input,
        rules.make_report.output if REPORT["tables"] else [],
