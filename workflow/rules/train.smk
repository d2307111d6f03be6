# From the parameters to a run, from a run to weights.


localrules:
    resolve_run,


# No input file: only runs whose values have changed are written, and so trained, anew.
rule resolve_run:
    output:
        "<results>/{dataset}/{model}/seed{seed}/run.json",
    log:
        "<logs>/resolve_run/{dataset}/{model}/seed{seed}.log",
    params:
        run=lambda w: resolved_run(w.dataset, w.model, w.seed).model_dump_json(),
    shell:
        "(set -x; ugatit resolve --value {params.run:q} --output {output:q}) &> {log:q}"


# Resume state lies in training/ beside run.json and is not declared: a failed job's outputs are deleted.
# `exec`: a signal to stop that reaches every process of a job must find no shell that dies before the
# training has saved; what a cluster still finds running after that is killed.
rule train:
    input:
        run="<results>/{dataset}/{model}/seed{seed}/run.json",
        data="<data>/{dataset}/manifest.csv",
        files=lambda w: [ancient(f) for f in checked(plan.traits, PARAMS, w.dataset, w.model).files],
    output:
        "<results>/{dataset}/{model}/seed{seed}/weights.json",
        "<results>/{dataset}/{model}/seed{seed}/weights.safetensors",
        "<results>/{dataset}/{model}/seed{seed}/train.jsonl",
    log:
        "<logs>/train/{dataset}/{model}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train/{dataset}/{model}/seed{seed}.tsv"
    priority: train_priority
    threads: 8
    resources:
        gpu=1,
    shell:
        "exec &> {log:q}; set -x; exec ugatit train {input.run:q} --data {input.data:q} --threads {threads}"
        " --devices {resources.gpu}"


rule models:
    input:
        expand("<results>/{run}/weights.json", run=checked(plan.planned_weights, PARAMS)),
