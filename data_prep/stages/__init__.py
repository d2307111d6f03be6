"""One module per stage of a construction from raw pictures, in the order of `data_prep.stages.order`."""
