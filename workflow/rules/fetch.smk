# From the network, or from what is there, to raw pictures and the files that steps need.


localrules:
    fetch_source,
    fetch_asset,


DRAWING_CODE = [*sorted(glob("data_prep/drawing/*.py")), "data_prep/metadata.py"]


# The pictures lie beside the record and are not declared: an interrupted download goes on.
rule fetch_source:
    input:
        code=lambda w: DRAWING_CODE if PARAMS.sources[w.source].drawn else [],
    output:
        "<raw>/{source}.json",
    log:
        "<logs>/fetch_source/{source}.log",
    threads: 8
    params:
        entry=lambda w: PARAMS.sources[w.source].model_dump_json(),
        state=lambda w: checked(folder_state, w.source, PARAMS.sources[w.source], Path(PARAMS.paths.raw)),
        raw=subpath(output[0], parent=True),
    shell:
        "(set -x; data-prep fetch {wildcards.source:q} --entry {params.entry:q} --raw {params.raw:q}"
        " --state {params.state:q} --threads {threads}) &> {log:q}"


rule fetch_asset:
    output:
        "{asset}",
    log:
        "<logs>/fetch_asset/{asset}.log",
    wildcard_constraints:
        asset=one_of(map(re.escape, ASSETS)),
    params:
        name=lambda w: ASSETS[w.asset],
        entry=lambda w: PARAMS.assets[ASSETS[w.asset]].model_dump_json(),
    shell:
        "(set -x; data-prep fetch {params.name:q} --asset {params.entry:q}) &> {log:q}"
