"""What is called how: every call of nnlib that the book uses, and its counterpart in Keras and PyTorch.

The page "Use a framework" shows these tables. A test holds them complete, and every name of Keras and PyTorch real where
these are installed. "-" means that there is none. The last column says what to watch when you change over.
"""

import re

# group -> rows of (nnlib, Keras, PyTorch, what differs); several calls of one kind share a row
CALLS = {
    "The model": [
        (
            "nn.Sequential",
            "keras.Sequential",
            "torch.nn.Sequential",
            "float64 here, float32 there; the seed is an argument here, and there `keras.utils.set_random_seed`, `torch.manual_seed`",
        ),
        (
            "model.build",
            "keras.Input",
            "torch.nn.LazyLinear",
            "`torch.nn.Linear` asks for the number of inputs at once",
        ),
        (
            "model.summary, model.parameter_counts",
            "keras.Model.summary, keras.Model.count_params",
            "torch.nn.Module.parameters",
            "",
        ),
        (
            "model.get_weights, model.set_weights",
            "keras.Model.get_weights, keras.Model.set_weights",
            "torch.nn.Module.state_dict, torch.nn.Module.load_state_dict",
            "one flat array here, a list there, a dict of names in PyTorch",
        ),
        (
            "model.save, nn.load",
            "keras.Model.save, keras.models.load_model",
            "torch.save, torch.load",
            "PyTorch saves weights; the code that makes the layers must be there as well",
        ),
    ],
    "Layers": [
        (
            "nn.Layer",
            "keras.layers.Layer",
            "torch.nn.Module",
            "no `backward` to write",
        ),
        (
            "nn.Dense",
            "keras.layers.Dense",
            "torch.nn.Linear",
            "PyTorch: weights transposed, other first weights, activation apart",
        ),
        ("nn.Activation", "keras.layers.Activation", "torch.nn.ReLU", ""),
        (
            "nn.Maxout",
            "-",
            "-",
            "write it: a dense layer, and the largest of its pieces",
        ),
        (
            "nn.BatchNorm",
            "keras.layers.BatchNormalization",
            "torch.nn.BatchNorm1d",
            "keeps 0.9 of the running mean in each step here, 0.99 in Keras; PyTorch's `momentum=0.1` is what it gives away; "
            "ε is 1e-5 here and in PyTorch, 1e-3 in Keras",
        ),
        (
            "nn.LayerNorm",
            "keras.layers.LayerNormalization",
            "torch.nn.LayerNorm",
            "ε is 1e-5 here and in PyTorch, 1e-3 in Keras",
        ),
        (
            "nn.Dropout",
            "keras.layers.Dropout",
            "torch.nn.Dropout",
            "the rate is the share set to 0 in all three",
        ),
        (
            "nn.Residual",
            "keras.layers.Add",
            "torch.add",
            "needs the functional form of Keras, a `forward` of your own in PyTorch",
        ),
        ("nn.Flatten", "keras.layers.Flatten", "torch.nn.Flatten", ""),
        (
            "nn.Conv2D, nn.MaxPool2D",
            "keras.layers.Conv2D, keras.layers.MaxPooling2D",
            "torch.nn.Conv2d, torch.nn.MaxPool2d",
            "PyTorch: channels before height and width",
        ),
        (
            "nn.RNN, nn.LSTM",
            "keras.layers.SimpleRNN, keras.layers.LSTM",
            "torch.nn.RNN, torch.nn.LSTM",
            "PyTorch: time before batch unless `batch_first=True`, and two biases",
        ),
        (
            "nn.SelfAttention",
            "keras.layers.MultiHeadAttention",
            "torch.nn.MultiheadAttention",
            "",
        ),
    ],
    "Activations": [
        (
            '"linear"',
            "keras.activations.linear",
            "torch.nn.Identity",
            "",
        ),
        (
            '"sigmoid", "tanh", "relu"',
            "keras.activations.sigmoid, keras.activations.tanh, keras.activations.relu",
            "torch.nn.Sigmoid, torch.nn.Tanh, torch.nn.ReLU",
            "",
        ),
        (
            '"softmax"',
            "keras.activations.softmax",
            "torch.nn.Softmax",
            "leave it out before PyTorch's `CrossEntropyLoss`",
        ),
        (
            '"leaky_relu", nn.activations.make_leaky_relu',
            "keras.layers.LeakyReLU",
            "torch.nn.LeakyReLU",
            '0.01 here and in PyTorch; `"leaky_relu"` is 0.2 in Keras, `LeakyReLU` 0.3',
        ),
        (
            '"elu", nn.activations.make_elu',
            "keras.layers.ELU",
            "torch.nn.ELU",
            "",
        ),
        (
            "nn.activations.get, nn.activations.Activation",
            "keras.activations.get",
            "torch.autograd.Function",
            "a function of your own is enough there: the slope is found automatically",
        ),
    ],
    "First weights": [
        (
            '"glorot_uniform", "glorot_normal"',
            "keras.initializers.GlorotUniform, keras.initializers.GlorotNormal",
            "torch.nn.init.xavier_uniform_, torch.nn.init.xavier_normal_",
            "`glorot_uniform` is what `Dense` has by itself, here and in Keras; Keras cuts the normal ones off at two deviations",
        ),
        (
            '"he_uniform", "he_normal"',
            "keras.initializers.HeUniform, keras.initializers.HeNormal",
            "torch.nn.init.kaiming_uniform_, torch.nn.init.kaiming_normal_",
            "",
        ),
        (
            '"lecun_uniform", "lecun_normal"',
            "keras.initializers.LecunUniform, keras.initializers.LecunNormal",
            "-",
            "",
        ),
        (
            '"zeros", "ones", nn.initializers.constant',
            "keras.initializers.Zeros, keras.initializers.Ones, keras.initializers.Constant",
            "torch.nn.init.zeros_, torch.nn.init.ones_, torch.nn.init.constant_",
            "",
        ),
        (
            '"normal", "orthogonal", nn.initializers.normal',
            "keras.initializers.RandomNormal, keras.initializers.Orthogonal",
            "torch.nn.init.normal_, torch.nn.init.orthogonal_",
            "",
        ),
        (
            "nn.initializers.variance_scaling, nn.initializers.get",
            "keras.initializers.VarianceScaling, keras.initializers.get",
            "-",
            "",
        ),
    ],
    "Losses": [
        (
            '"mse", "mae"',
            "keras.losses.MeanSquaredError, keras.losses.MeanAbsoluteError",
            "torch.nn.MSELoss, torch.nn.L1Loss",
            "PyTorch broadcasts (N,) against (N, 1), with no more than a warning",
        ),
        ('"rmse"', "-", "-", "the root of the one above"),
        (
            '"huber", nn.losses.make_huber',
            "keras.losses.Huber",
            "torch.nn.HuberLoss",
            "",
        ),
        (
            '"binary_crossentropy"',
            "keras.losses.BinaryCrossentropy",
            "torch.nn.BCELoss, torch.nn.BCEWithLogitsLoss",
            "",
        ),
        (
            '"categorical_crossentropy"',
            "keras.losses.CategoricalCrossentropy",
            "torch.nn.CrossEntropyLoss",
            "PyTorch takes logits and class numbers",
        ),
        (
            "nn.losses.FUSED",
            "keras.losses.CategoricalCrossentropy",
            "torch.nn.CrossEntropyLoss",
            "`from_logits=True` in Keras, and no softmax in the last layer",
        ),
        ("nn.losses.get", "keras.losses.get", "-", ""),
    ],
    "Optimizers": [
        (
            "nn.SGD",
            "keras.optimizers.SGD",
            "torch.optim.SGD",
            "rate 0.01 here and in Keras, 0.001 in PyTorch; in Keras the rate is inside the velocity",
        ),
        (
            "nn.Adam",
            "keras.optimizers.Adam",
            "torch.optim.Adam",
            "ε is 1e-8 here and in PyTorch, 1e-7 and in another place in Keras; `weight_decay` means `torch.optim.AdamW`",
        ),
        (
            "nn.RMSprop",
            "keras.optimizers.RMSprop",
            "torch.optim.RMSprop",
            "ρ is 0.9 here and in Keras, 0.99 in PyTorch",
        ),
        (
            "nn.Adagrad",
            "keras.optimizers.Adagrad",
            "torch.optim.Adagrad",
            "Keras starts its sum at 0.1",
        ),
        (
            "nn.optimizers.Optimizer",
            "keras.optimizers.Optimizer",
            "torch.optim.Optimizer",
            "",
        ),
        (
            "nn.schedules.ExponentialDecay, nn.schedules.CosineDecay",
            "keras.optimizers.schedules.ExponentialDecay, keras.optimizers.schedules.CosineDecay",
            "torch.optim.lr_scheduler.ExponentialLR, torch.optim.lr_scheduler.CosineAnnealingLR",
            "PyTorch: call its `step` yourself, after each epoch or step",
        ),
        (
            "nn.schedules.StepDecay",
            "keras.optimizers.schedules.PiecewiseConstantDecay",
            "torch.optim.lr_scheduler.StepLR",
            "",
        ),
        (
            "nn.schedules.Warmup, nn.schedules.OneCycle",
            "keras.optimizers.schedules.CosineDecay",
            "torch.optim.lr_scheduler.LinearLR, torch.optim.lr_scheduler.OneCycleLR",
            "Keras: the `warmup_steps` of its `CosineDecay`",
        ),
        (
            "nn.schedules.Schedule",
            "keras.optimizers.schedules.LearningRateSchedule",
            "torch.optim.lr_scheduler.LambdaLR",
            "",
        ),
    ],
    "Training": [
        (
            "model.fit",
            "keras.Model.compile, keras.Model.fit",
            "torch.utils.data.DataLoader",
            "PyTorch: the loop is yours",
        ),
        (
            "model.train_on_batch",
            "keras.Model.train_on_batch",
            "torch.optim.Optimizer.step",
            "PyTorch: `zero_grad` first, or gradients add up",
        ),
        (
            "model.compute_gradients, model.objective",
            "-",
            "torch.Tensor.backward",
            "Keras: that of its backend, such as `jax.grad`",
        ),
        (
            "model.forward",
            "keras.Model.__call__",
            "torch.nn.Module.__call__",
            "PyTorch: `train()` and `eval()` switch dropout",
        ),
        (
            "model.backward, nn.Dense.backward_z",
            "-",
            "torch.autograd.grad",
            "written for you",
        ),
        (
            "model.input_gradient",
            "-",
            "torch.autograd.grad",
            "PyTorch: `requires_grad` on the input",
        ),
        (
            "nn.check_gradients, nn.gradcheck.numerical_gradient, nn.gradcheck.relative_error",
            "-",
            "torch.autograd.gradcheck",
            "",
        ),
        (
            "nn.History, nn.CSVLogger, nn.Progress",
            "keras.callbacks.History, keras.callbacks.CSVLogger, keras.callbacks.ProgbarLogger",
            "-",
            "",
        ),
        (
            "nn.Callback",
            "keras.callbacks.Callback",
            "-",
            "PyTorch: a line in your loop",
        ),
        (
            "nn.EarlyStopping",
            "keras.callbacks.EarlyStopping",
            "-",
            "goes back to the best epoch here; in Keras only with `restore_best_weights=True`",
        ),
        (
            "nn.ReduceLROnPlateau, nn.ModelCheckpoint",
            "keras.callbacks.ReduceLROnPlateau, keras.callbacks.ModelCheckpoint",
            "torch.optim.lr_scheduler.ReduceLROnPlateau, torch.save",
            "waits 5 epochs here, 10 there",
        ),
        (
            "nn.DivergenceWarning",
            "keras.callbacks.TerminateOnNaN",
            "torch.autograd.set_detect_anomaly",
            "neither keeps the best weights so far",
        ),
        (
            "nn.sweep",
            "-",
            "-",
            "KerasTuner, Optuna or Ray Tune, each a package of its own",
        ),
    ],
    "Judging": [
        (
            "model.predict",
            "keras.Model.predict",
            "torch.no_grad, torch.nn.Module.eval",
            "",
        ),
        ("model.evaluate", "keras.Model.evaluate", "-", ""),
        (
            "nn.metrics.rmse, nn.metrics.mae, nn.metrics.r2",
            "keras.metrics.RootMeanSquaredError, keras.metrics.MeanAbsoluteError, keras.metrics.R2Score",
            "-",
            "or those of `sklearn.metrics`, with all three",
        ),
        (
            "nn.metrics.accuracy",
            "keras.metrics.CategoricalAccuracy",
            "-",
            "",
        ),
        (
            "nn.metrics.precision, nn.metrics.recall, nn.metrics.f1",
            "keras.metrics.Precision, keras.metrics.Recall, keras.metrics.F1Score",
            "-",
            "",
        ),
        (
            "nn.metrics.roc_auc",
            "keras.metrics.AUC",
            "-",
            "Keras counts at 200 thresholds: near, not equal",
        ),
        (
            "nn.metrics.confusion, nn.metrics.classes, nn.metrics.calibration_error, nn.metrics.get",
            "-",
            "-",
            "",
        ),
    ],
}


def names(cell):
    """List the calls that a cell of the table names."""
    return [] if cell == "-" else cell.split(", ")


def table(group):
    """Return the rows of a group as Markdown."""
    lines = [
        "| nnlib | Keras | PyTorch | watch |",
        "|:--|:--|:--|:--|",
    ]
    for ours, keras, torch, differs in CALLS[group]:
        shown = [
            "<br>".join(f"`{name}`" for name in names(cell)) or "–"
            for cell in (ours, keras, torch)
        ]
        shown = [re.sub(r"`(keras|torch)\.", "`", cell) for cell in shown]
        lines.append(f"| {' | '.join(shown)} | {differs} |")
    return "\n".join(lines)
