"""A model's twin: the same predictions, from a file that starts and predicts far faster.

`convert` makes it of a fitted pipeline, column by column (`columns`) and then by the kind of its
estimator (`linear`, `trees`); `proof` compares the two on rides; `flavor` puts it beside the model.
"""
