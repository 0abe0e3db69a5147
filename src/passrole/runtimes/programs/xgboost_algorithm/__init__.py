"""The parts of xgboost_mode.py, which tells what they do together."""
