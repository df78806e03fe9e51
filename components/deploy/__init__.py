"""Deploy: registers the challenger and promotes it through the journal if its verdict was accepted; else says why not."""
