# From pictures to features, from features to metrics.

EXTRACTION_CODE = [
    "ugatit/images.py",
    *(f"ugatit/evaluation/{name}.py" for name in ("extractors", "features", "feature_file")),
]
# Fetched if they are missing; their hash, not their age, says whether they are the same.
EXTRACTOR_WEIGHTS = [ancient(file) for file in ASSETS if file == PARAMS.evaluation.extractor.weights]
EVALUATION_CODE = [f"ugatit/evaluation/{name}.py" for name in ("metrics", "kid", "fid", "feature_file")]
SCORING_CODE = ["ugatit/evaluation/scores.py", *EVALUATION_CODE]


localrules:
    score,
    score_external,


rule extract_features:
    input:
        pictures="<results>/{dataset}/{model}/seed{seed}/translations/{direction}/manifest.csv",
        code=EXTRACTION_CODE,
        weights=EXTRACTOR_WEIGHTS,
    output:
        "<results>/{dataset}/{model}/seed{seed}/features/{direction}.json",
    log:
        "<logs>/extract_features/{dataset}/{model}/seed{seed}/{direction}.log",
    priority: 1
    threads: 4
    resources:
        gpu=1,
        batch_size=PARAMS.evaluation.batch_size,
    params:
        extractor=EXTRACTOR_OPTIONS,
        image_px=lambda w: plan.image_px(PARAMS, w.dataset),
        split=lambda w: w.direction,
        limit=[],
    shell:
        "(set -x; ugatit extract-features {input.pictures:q} --split {params.split} {params.limit:q}"
        " --image-px {params.image_px} {params.extractor:q} --batch-size {resources.batch_size}"
        " --output {output:q} --threads {threads}) &> {log:q}"


use rule extract_features as extract_external_features with:
    input:
        pictures="<results>/{dataset}/{external}/translations/{direction}/manifest.csv",
        code=EXTRACTION_CODE,
        weights=EXTRACTOR_WEIGHTS,
    output:
        "<results>/{dataset}/{external}/features/{direction}.json",
    log:
        "<logs>/extract_external_features/{dataset}/{external}/{direction}.log",


# As many training pictures as there are test pictures: they stand for a perfect translation.
# Before any training, so that a missing extractor is noticed before weeks of it and not after.
use rule extract_features as extract_real_features with:
    input:
        pictures="<data>/{dataset}/manifest.csv",
        code=EXTRACTION_CODE,
        weights=EXTRACTOR_WEIGHTS,
    output:
        "<results>/{dataset}/real/features/{split}.json",
    log:
        "<logs>/extract_real_features/{dataset}/{split}.log",
    params:
        split=lambda w: w.split,
        limit=lambda w: ["--limit-to-split", w.split.replace("train", "test")],


rule evaluate:
    input:
        real_a="<results>/{dataset}/real/features/testA.json",
        real_b="<results>/{dataset}/real/features/testB.json",
        a2b=lambda w: own_features(w, "a2b"),
        b2a=lambda w: own_features(w, "b2a"),
        code=EVALUATION_CODE,
    output:
        "<results>/{dataset}/{model}/seed{seed}/metrics.json",
    log:
        "<logs>/evaluate/{dataset}/{model}/seed{seed}.log",
    priority: 1
    params:
        row=lambda w: ["--model", w.model, "--seed", w.seed],
        fakes=lambda w, input: [arg for d in DIRECTIONS if input[d] for arg in (f"--{d}", input[d])],
        protocols=PROTOCOL_OPTIONS,
    shell:
        "(set -x; ugatit evaluate --dataset {wildcards.dataset} {params.row:q} --real-a {input.real_a:q}"
        " --real-b {input.real_b:q} {params.fakes:q} {params.protocols:q} --output {output:q}) &> {log:q}"


use rule evaluate as evaluate_external with:
    input:
        real_a="<results>/{dataset}/real/features/testA.json",
        real_b="<results>/{dataset}/real/features/testB.json",
        a2b=lambda w: external_features(w, "a2b"),
        b2a=lambda w: external_features(w, "b2a"),
        code=EVALUATION_CODE,
    output:
        "<results>/{dataset}/{external}/metrics.json",
    log:
        "<logs>/evaluate_external/{dataset}/{external}.log",
    params:
        row=lambda w: ["--model", w.external],


# What a model scores that changes nothing.
use rule evaluate as evaluate_source with:
    input:
        real_a="<results>/{dataset}/real/features/testA.json",
        real_b="<results>/{dataset}/real/features/testB.json",
        a2b="<results>/{dataset}/real/features/testA.json",
        b2a="<results>/{dataset}/real/features/testB.json",
        code=EVALUATION_CODE,
    output:
        "<results>/{dataset}/source/metrics.json",
    log:
        "<logs>/evaluate_source/{dataset}.log",
    params:
        row=["--model", "source"],


# What a perfect model scores: training pictures of the target.
use rule evaluate as evaluate_real with:
    input:
        real_a="<results>/{dataset}/real/features/testA.json",
        real_b="<results>/{dataset}/real/features/testB.json",
        a2b="<results>/{dataset}/real/features/trainB.json",
        b2a="<results>/{dataset}/real/features/trainA.json",
        code=EVALUATION_CODE,
    output:
        "<results>/{dataset}/real/metrics.json",
    log:
        "<logs>/evaluate_real/{dataset}.log",
    params:
        row=["--model", "real"],


# What each translation contributes to kid_full; figures and the report sort and choose pictures by it.
rule score:
    input:
        fakes="<results>/{dataset}/{model}/seed{seed}/features/{direction}.json",
        target=target_features,
        code=SCORING_CODE,
    output:
        "<results>/{dataset}/{model}/seed{seed}/scores/{direction}.csv",
    log:
        "<logs>/score/{dataset}/{model}/seed{seed}/{direction}.log",
    shell:
        "(set -x; ugatit score {input.fakes:q} --target {input.target:q} --output {output:q}) &> {log:q}"


use rule score as score_external with:
    input:
        fakes="<results>/{dataset}/{external}/features/{direction}.json",
        target=target_features,
        code=SCORING_CODE,
    output:
        "<results>/{dataset}/{external}/scores/{direction}.csv",
    log:
        "<logs>/score_external/{dataset}/{external}/{direction}.log",


rule evaluations:
    input:
        expand("<results>/{folder}/manifest.csv", folder=checked(plan.planned_translations, PARAMS)),
        expand("<results>/{folder}/metrics.json", folder=checked(plan.planned_metrics, PARAMS)),
