# From raw pictures to a dataset: four folders and their manifest.


rule build_dataset:
    input:
        code=lambda w: ["data_prep/synthetic.py"] if PARAMS.datasets[w.dataset].source.kind == "drawn" else [],
    output:
        "<data>/{dataset}/manifest.csv",
    log:
        "<logs>/build_dataset/{dataset}.log",
    params:
        source=lambda w: PARAMS.datasets[w.dataset].source.model_dump_json(),
        pictures=lambda w: json.dumps(PARAMS.datasets[w.dataset].pictures, sort_keys=True),
        listing=lambda w: checked(
            fingerprint, PARAMS.datasets[w.dataset].source, Path(PARAMS.paths.data, w.dataset, "source.json")
        ),
        folder=subpath(output[0], parent=True),
    shell:
        "(set -x; data-prep build --source {params.source:q} --pictures {params.pictures:q}"
        " --output {params.folder:q}) &> {log:q}"
