"""All time-outs and numbers of retries; the defaults of the libraries are minutes."""

# The end of a process: together less than the 30 seconds between SIGTERM and SIGKILL of a pod.
UNWINDING_SECONDS = 2.0  # after a signal, until a step in native code is ended
GRACE_SECONDS = 10.0  # a child process, from SIGTERM to SIGKILL; a step needs up to five
FORK_REQUEST_SECONDS = 10.0  # a request to be forked, which comes in one piece
RUNNER_SECONDS = 0.5  # between two looks at the processes that run a stage

# The server of the champion: draining and recording end together within the 30 seconds of a pod.
SERVE_DRAIN_SECONDS = 20  # the requests that were accepted, over REST and gRPC at once
RECORD_CLOSE_SECONDS = 5.0  # the predictions that are not recorded yet
RECORD_KEPT_SECONDS = 300.0  # a file that the store does not take is tried again
SWITCH_SECONDS = 0.0005  # after which a thread that computes lets a request go on; Python's own 5 ms are ten answers
SERVE_RETRY_SECONDS = 1  # before a client that was sent away tries again
REFUSED_SECONDS = 300.0  # before a version that was refused is looked at again: its files may have been restored

# Batch prediction of files of any size.
PREDICT_MEGABYTES = 800  # of DuckDB's memory; the rest is in files. With the libraries it stays below 2 GiB

# Recorded predictions that the challenger is asked again (`deploy.shadow`): the newest ones.
SHADOW_ROWS = 10_000  # of recorded requests that a challenger is asked, the newest
SHADOW_FILES = 500  # of all versions; of S3 each is a request
SHADOW_HOURS = 168  # before the newest recorded hour
SHADOW_BYTES = 100_000_000  # of a file: no server writes a larger one
SHADOW_SECONDS = 60.0  # to read all of it

# What `monitor` reads of recorded predictions.
MONITOR_FILE_SECONDS = 120.0  # to read a file
MONITOR_HOUR_ROWS = 100_000  # of an hour, from which its rates and quantiles are taken

# Programs on this machine.
LOCK_SECONDS = 3  # another DVC that only looks at something; DVC itself waits as long
GIT_SECONDS = 10  # it reads a few files
GIT_HISTORY_SECONDS = 600  # it reads the names of all that a repository ever held
CONTAINER_SECONDS = 60  # a container that prints a file; its image may be large
UI_SECONDS = 90.0  # the UI of Evidently or MLflow, until it answers; their imports are slow
KNOCK_SECONDS = 2  # one request that checks whether it answers
FRESH_PROCESS_SECONDS = 600  # the challenger in a new process: imports, loading, 256 predictions

# A data store: the DVC remote, a source of `collect`, a bucket.
STORE_CONNECT_SECONDS = 5  # of one attempt; the libraries make several
STORE_READ_SECONDS = 10  # between two parts of an answer
STORE_ATTEMPTS = 3  # after a reset, a 5xx or a time-out, with growing pauses
STORE_ANSWER_SECONDS = 20.0  # until the first answer, all attempts together
STORE_REQUEST_SECONDS = 30.0  # each later request, all attempts together
STORE_BYTES_PER_SECOND = 2**17  # the minimum speed of an upload, which extends the time-out of larger requests
WEB_CONNECT_SECONDS = 10  # a web server that is a source of `collect`
WEB_READ_SECONDS = 20  # between two parts of an answer
BRANCH_SECONDS = 6  # a git server, one attempt; dulwich makes four

# MLflow.
TRANSFER_SECONDS = 60.0  # one small file
TRANSFER_BYTES_PER_SECOND = 2**20  # the minimum speed, which extends the time-out of larger files
MOST_TRANSFER_SECONDS = 600.0  # one file of any size
TRACKING_SECONDS = 20  # one request, between two parts of its answer
TRACKING_PAUSES = 8  # until a server that refuses is given up
TRACKING_PAUSE_SECONDS = 4.0  # before it is asked again; eight of them are more than 30 seconds
TRACKING_AWAY_SECONDS = 60.0  # after a request has given up, during which the next ones do so at once
DATABASE_SECONDS = 30  # waiting for a database that another process has locked

# A message to people, by a webhook: together half a minute at most.
ALERT_SECONDS = 5.0  # one attempt
ALERT_ATTEMPTS = 3  # after which nobody is told
ALERT_PAUSE_SECONDS = 2.0  # before the second; before each later one as much longer

# A cluster, in interactive commands.
API_SECONDS = 8.0  # the API of Kubeflow or Kubernetes; --timeout overrides it
API_REQUEST_SECONDS = 60.0  # reading an answer of Kubeflow
LOOK_SECONDS = 30.0  # a request to a registry; `dvc data status` of a version
CHECK_SECONDS = 90.0  # one check of `tidegate doctor`, such as a credential helper
POLL_SECONDS = 3.0  # between two requests for the state of a run
AWAY_SECONDS = 300.0  # a server that is unavailable while a run is followed; the run goes on
POD_BESIDE_SECONDS = 120  # a pod beside its attempts: image pull, inputs and outputs, ending an attempt

# The trial of a version on KServe, in the step `deploy`: together less than the time-out of a step.
ROLLOUT_POLL_SECONDS = 1.0  # between two looks at the InferenceService
ROLLOUT_AWAY_SECONDS = 30.0  # the Kubernetes API, in which it may be exchanged; then a retry of the step goes on
ROLLOUT_STILL_SECONDS = 300.0  # a canary or predictor without progress: a pull of an image, the start of a pod
ROLLOUT_MOST_SECONDS = 900.0  # and with it
ROLLOUT_ASK_SECONDS = 10.0  # one request for predictions
ROLLOUT_PAUSE_SECONDS = 0.5  # between two of them, while a canary is watched
ROLLOUT_DOOR_SECONDS = 30.0  # until a new address answers: its endpoints and routes follow within seconds
