"""The step `monitor`: judges what the champion was asked as the gate judges a batch."""
