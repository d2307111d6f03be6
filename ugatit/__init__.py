"""U-GAT-IT and its ablations: models, training, evaluation and reporting."""
