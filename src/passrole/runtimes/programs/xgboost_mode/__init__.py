"""XGBoost's algorithm mode; what it does is told in __main__.py."""
