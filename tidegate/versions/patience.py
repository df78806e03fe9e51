"""How long and how often a store is asked, wherever one is: the remote of DVC, a source of `collect`, a bucket.

Left to themselves the libraries wait minutes for an endpoint that stopped answering.
"""

CONNECT, READ = 5, 10  # seconds
ATTEMPTS = 2  # at each level that tries again
