# From a folder or an archive to a dataset: four folders and their manifest.


rule build_dataset:
    input:
        obtained=lambda w: [f"<raw>/{name}.json" for name in PARAMS.datasets[w.dataset].raw_sources()],
    output:
        "<data>/{dataset}/manifest.csv",
    log:
        "<logs>/build_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(d for d in PARAMS.datasets if d not in CONSTRUCTED),
    params:
        version=STAGE_VERSIONS["build_dataset"],
        source=lambda w: json.dumps(PARAMS.datasets[w.dataset].model_dump()["source"]),
        pictures=lambda w: json.dumps(PARAMS.datasets[w.dataset].pictures, sort_keys=True),
        listing=lambda w: dataset_state(w.dataset),
        obtained=lambda w, input: [option for path in input.obtained for option in ("--obtained", path)],
        folder=subpath(output[0], parent=True),
    shell:
        "(set -x; data-prep build --source {params.source:q} {params.obtained:q} --pictures {params.pictures:q}"
        " --output {params.folder:q}) &> {log:q}"


rule datasets:
    input:
        expand("<data>/{dataset}/manifest.csv", dataset=plan.planned_datasets(PARAMS)),
