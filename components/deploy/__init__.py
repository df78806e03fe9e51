"""Deploy: registers the challenger and promotes it through the journal if it was accepted; else says why not."""
