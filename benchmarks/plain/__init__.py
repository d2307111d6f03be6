"""A plain training step of every method, to compare the real ones with: in its results, and in its time.

Each file transcribes the published losses: every term calls the networks that it needs, for pictures of one
role at a time; the two updates share only what they share in the authors' code, and only what that freezes is
frozen. Pictures that no generator learns from are made without a graph. Networks, pools and parameters are
those of `ugatit.methods`; updates and losses are not.

Each file defines

- `optimizers(networks, parameters)`, Adam as PyTorch has it by default;
- `step(networks, optimizers, batches, parameters, progress)`, one step, with the random numbers of
  the method's `update` in the same order, returning the same totals.
"""
