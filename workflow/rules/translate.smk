# From weights, or from a folder of another program's pictures, to translations of the test pictures.

ATTENTION_CODE = [
    "ugatit/images.py",
    *(f"ugatit/evaluation/{name}.py" for name in ("attend", "attention", "heat_map", "masking", "translate")),
]


rule translate:
    input:
        weights="<results>/{dataset}/{model}/seed{seed}/weights.json",
        data="<data>/{dataset}/manifest.csv",
        code=["ugatit/images.py", "ugatit/evaluation/translate.py"],
    output:
        "<results>/{dataset}/{model}/seed{seed}/translations/{direction}/manifest.csv",
    log:
        "<logs>/translate/{dataset}/{model}/seed{seed}/{direction}.log",
    priority: 1
    threads: 4
    resources:
        gpu=1,
    params:
        split=lambda w: source_split(w.direction),
        folder=subpath(output[0], parent=True),
    shell:
        "(set -x; ugatit translate {input.weights:q} --pictures {input.data:q} --split {params.split}"
        " --direction {wildcards.direction} --output {params.folder:q} --threads {threads}) &> {log:q}"


rule attend:
    input:
        weights="<results>/{dataset}/{model}/seed{seed}/weights.json",
        data="<data>/{dataset}/manifest.csv",
        code=ATTENTION_CODE,
    output:
        "<results>/{dataset}/{model}/seed{seed}/attention/{direction}/attention.json",
        "<results>/{dataset}/{model}/seed{seed}/attention/{direction}/attention.npz",
    log:
        "<logs>/attend/{dataset}/{model}/seed{seed}/{direction}.log",
    priority: 1
    threads: 4
    resources:
        gpu=1,
    params:
        split=lambda w: source_split(w.direction),
        folder=subpath(output[0], parent=True),
        faithfulness=FAITHFULNESS_OPTIONS,
    shell:
        "(set -x; ugatit attention {input.weights:q} --pictures {input.data:q} --split {params.split}"
        " --direction {wildcards.direction} {params.faithfulness} --output {params.folder:q}"
        " --threads {threads}) &> {log:q}"


rule import_translations:
    input:
        pictures=lambda w: sorted(path for path in Path(external_folder(w).path).glob("*") if path.is_file()),
        data="<data>/{dataset}/manifest.csv",
        code=["ugatit/images.py", "ugatit/evaluation/external.py"],
    output:
        "<results>/{dataset}/{external}/translations/{direction}/manifest.csv",
    log:
        "<logs>/import_translations/{dataset}/{external}/{direction}.log",
    params:
        source=lambda w: external_folder(w).path,
        absent=lambda w: [arg for name in external_folder(w).absent for arg in ("--absent", name)],
        match=lambda w: PARAMS.models[w.external].external.match,
        split=lambda w: source_split(w.direction),
        folder=subpath(output[0], parent=True),
    shell:
        "(set -x; ugatit import-translations {params.source:q} --pictures {input.data:q} --split {params.split}"
        " --direction {wildcards.direction} --match {params.match} {params.absent:q}"
        " --output {params.folder:q}) &> {log:q}"
