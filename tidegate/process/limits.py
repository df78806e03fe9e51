"""How long and how often anything is waited for, in one table: left to themselves, libraries wait for minutes."""

# A process that is to end: together less than the 30 seconds that Kubernetes leaves a pod after SIGTERM.
UNWINDING_SECONDS = 2.0  # native code that holds a step up after a signal, before the step ends without it
GRACE_SECONDS = 10.0  # a child, from SIGTERM to SIGKILL; a step needs five of them

# A program of this machine.
GIT_SECONDS = 10  # it reads a few files
CONTAINER_SECONDS = 60  # a container that prints a file; its image may be large
UI_SECONDS = 90.0  # the UI of Evidently or MLflow, until it answers: both import much
KNOCK_SECONDS = 2  # one request that only asks whether it does
FRESH_PROCESS_SECONDS = 600  # the challenger in a process of its own: imports, loading, 256 rows

# A store: the remote of DVC, a source of `collect`, a bucket.
STORE_CONNECT_SECONDS = 5  # the libraries try several times: these are for each
STORE_READ_SECONDS = 10  # between two pieces of an answer
STORE_ATTEMPTS = 2  # at each level that tries again, and there are two
STORE_ANSWER_SECONDS = 20.0  # to the first answer, all attempts together
WEB_CONNECT_SECONDS = 10  # a web server that is a source of `collect`: it may be far away
WEB_READ_SECONDS = 20  # between two pieces of an answer
BRANCH_SECONDS = 6  # a git server: dulwich asks four times

# MLflow.
TRANSFER_SECONDS = 60.0  # one file, however small
TRANSFER_BYTES_PER_SECOND = 2**20  # the slowest transfer that is waited for
MOST_TRANSFER_SECONDS = 600.0  # one file that may be large
TRANSFER_RETRIES = 3  # after 2, 4 and 8 seconds; MLflow's own seven take minutes
DATABASE_SECONDS = 8  # a database that another process holds

# A cluster, from a person's machine: somebody looks at the screen.
API_SECONDS = 8.0  # the API of Kubeflow or Kubernetes, until silence is an error; --timeout overrides it
API_REQUEST_SECONDS = 60.0  # one request to Kubeflow that has begun to answer
LOOK_SECONDS = 30.0  # a registry; DVC over all files of a version
CHECK_SECONDS = 90.0  # a check of the doctor that knows no limit, such as a registry's helper
POLL_SECONDS = 3.0  # between two looks at a run
AWAY_SECONDS = 300.0  # a server that is away while a run is followed; the run goes on without it
POD_BESIDE_SECONDS = 120  # a pod for what is no attempt: the image, what the step reads and writes, ends of time-outs
