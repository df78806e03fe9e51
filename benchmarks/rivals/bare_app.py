"""A bare FastAPI app around a pipeline, as a data scientist would write it: no checks, no records.

`MODEL=model.pkl uvicorn bare_app:app`: POST /predict takes `{"instances": [{...}]}`.
"""

import os
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import FastAPI

app = FastAPI()
model, columns = pickle.loads(Path(os.environ["MODEL"]).read_bytes())


@app.post("/predict")
def predict(body: dict[str, Any]) -> dict[str, Any]:
    """The probability of true of each instance."""
    frame = pd.DataFrame(body["instances"], columns=columns)
    return {"predictions": model.predict_proba(frame)[:, 1].tolist()}
