# From results to figures. One rule draws them all; what a figure shows is told by the module of its kind.


rule draw_figure:
    input:
        needs=lambda w: checked(figure_inputs, PARAMS, w.figure),
        code=lambda w: [*FIGURE_CODE, f"ugatit/reporting/figures/{PARAMS.figures[w.figure]['kind']}.py"],
    output:
        "<results>/figures/{figure}.pdf",
        report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category="figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "<logs>/draw_figure/{figure}.log",
    params:
        settings=lambda w: json.dumps(checked(figure_settings, PARAMS, w.figure)),
        found=lambda w: checked(figure_found, PARAMS, w.figure),
        caption=lambda w: PARAMS.figures[w.figure]["caption"],
        overlays=lambda w, input: [option for path in OVERLAYS for option in ("--overlay", path)],
        stem=lambda w, output: output[0].removesuffix(".pdf"),
    shell:
        "(set -x; ugatit figure {wildcards.figure} --settings {params.settings:q} {params.overlays:q}"
        " --output-stem {params.stem:q}) &> {log:q}"


rule figures:
    input:
        expand(
            "<results>/figures/{figure}.{suffix}",
            figure=checked(planned_figures, PARAMS),
            suffix=["pdf", "png"],
        ),
