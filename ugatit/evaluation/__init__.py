"""Translations, features and metrics; knows weights and pictures, never the training."""
