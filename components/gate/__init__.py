"""Gate: compares the batch with what the champion learned from and decides, with every reason, whether to retrain."""
