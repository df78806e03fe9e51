"""The trusted types of each kind of skops node; all others are refused, also those that skops itself trusts.

Excluded on purpose: functions, methods, partials and operators, which call what the file names (this also excludes the
native categories of HistGradientBoosting); neighbours and sparse matrices, whose indices compiled code does not check
(neighbours also contain the training rows); vectorisers with a vocabulary, whose indices are not checked; bytes.
Linear models, naive Bayes and neural networks are arrays whose shapes numpy checks against the input.
"""

_PREFIX = "sklearn.ensemble._hist_gradient_boosting"
TREE = "sklearn.tree._tree.Tree"
PREDICTOR = f"{_PREFIX}.predictor.TreePredictor"

# skops does not trust these; state.py and fitted.py check the state that makes them unsafe (the losses have none).
_TWEEDIE = ("HalfTweedieLoss", "HalfTweedieLossIdentity")
BEYOND_SKOPS = [TREE, PREDICTOR, "numpy.dtype", *(f"sklearn._loss.loss.{name}" for name in _TWEEDIE)]

# The estimators that model.yaml may name, by the module in which scikit-learn defines them.
CLASSIFIERS = (
    f"{_PREFIX}.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._gb.GradientBoostingClassifier",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.linear_model._stochastic_gradient.SGDClassifier",
    "sklearn.naive_bayes.GaussianNB",
    "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.ExtraTreeClassifier",
)
REGRESSORS = (
    f"{_PREFIX}.gradient_boosting.HistGradientBoostingRegressor",
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.ensemble._forest.ExtraTreesRegressor",
    "sklearn.ensemble._gb.GradientBoostingRegressor",
    "sklearn.linear_model._base.LinearRegression",
    "sklearn.linear_model._ridge.Ridge",
    "sklearn.linear_model._coordinate_descent.Lasso",
    "sklearn.linear_model._coordinate_descent.ElasticNet",
    "sklearn.linear_model._bayes.BayesianRidge",
    "sklearn.linear_model._huber.HuberRegressor",
    "sklearn.linear_model._glm.glm.PoissonRegressor",
    "sklearn.linear_model._glm.glm.GammaRegressor",
    "sklearn.linear_model._glm.glm.TweedieRegressor",
    "sklearn.linear_model._stochastic_gradient.SGDRegressor",
    "sklearn.neural_network._multilayer_perceptron.MLPRegressor",
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._classes.ExtraTreeRegressor",
)
# The transformers that Tidegate adds, and the dummy baseline.
_BESIDE = (
    "sklearn.compose._column_transformer.ColumnTransformer",
    "sklearn.dummy.DummyClassifier",
    "sklearn.dummy.DummyRegressor",
    "sklearn.feature_extraction.text.HashingVectorizer",  # with default parameters only, see fitted.py
    "sklearn.impute._base.MissingIndicator",
    "sklearn.impute._base.SimpleImputer",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._data.MinMaxScaler",
    "sklearn.preprocessing._data.QuantileTransformer",
    "sklearn.preprocessing._data.RobustScaler",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.preprocessing._encoders.OneHotEncoder",
    "sklearn.preprocessing._encoders.OrdinalEncoder",
    "sklearn.preprocessing._function_transformer.FunctionTransformer",  # what "passthrough" becomes
)
ESTIMATORS = frozenset((*CLASSIFIERS, *REGRESSORS, *_BESIDE))

# The types within fitted estimators of these lists.
_LINKS = ("HalfLogitLink", "IdentityLink", "Interval", "LogLink", "LogitLink", "MultinomialLogit")
_LOSSES = ("AbsoluteError", "ExponentialLoss", "HalfBinomialLoss", "HalfGammaLoss", "HalfMultinomialLoss",
           "HalfPoissonLoss", "HalfSquaredError", "HuberLoss", "PinballLoss", *_TWEEDIE)  # fmt: skip
_PARTS = frozenset(
    {PREDICTOR, f"{_PREFIX}.binning._BinMapper"}
    | {f"sklearn.preprocessing._label.{name}" for name in ("LabelBinarizer", "LabelEncoder")}
    | {f"sklearn._loss.link.{name}" for name in _LINKS}
    | {f"sklearn._loss.loss.{name}" for name in _LOSSES}
)

_SIZES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_SCALARS = frozenset(f"numpy.{name}" for name in (*_SIZES, "bool", "str_"))
_PRIMITIVES = frozenset(f"builtins.{name}" for name in ("bool", "float", "int", "str"))

ACCEPTED = {
    "DTypeNode": frozenset({"numpy.dtype"}),
    "DictNode": frozenset({"builtins.dict"}),
    "JsonNode": frozenset({"builtins.str"}),
    "ListNode": frozenset({"builtins.list"}),
    "LossNode": frozenset(f"sklearn._loss._loss.Cy{name}" for name in _LOSSES),
    "NdArrayNode": _SCALARS | {"numpy.ndarray"},
    "ObjectNode": ESTIMATORS | _PARTS,
    "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "TreeNode": frozenset({TREE}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "TypeNode": _PRIMITIVES | _SCALARS,
}
