"""Tables and pictures made from results: published numbers beside ours, sheets of translations."""
