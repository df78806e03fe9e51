"""Review and promotion: batches, feedback, approvals, the journal of champions."""
