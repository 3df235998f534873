"""PyTorch as one writes it first: `nn.Sequential`, eager, a loop over index batches (no DataLoader: slower)."""

import torch
from torch import nn

from ..workloads import ADAM, BATCH_NORM, DROPOUT
from .base import Loop

torch.set_num_threads(1)


class LastState(nn.Module):
    """LSTM over (batch, time, features); its last state is the output."""

    def __init__(self, inputs, units):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True)
        for name, value in self.lstm.named_parameters():
            if name.startswith("weight"):
                nn.init.xavier_uniform_(value)
            else:
                nn.init.zeros_(value)
        with torch.no_grad():
            self.lstm.bias_ih_l0[units : 2 * units] = 1  # the forget gate starts open

    def forward(self, x):
        return self.lstm(x)[0][:, -1]


def network(name):
    """Build the network of a workload; weights are Glorot uniform and biases zero, as everywhere here."""
    if name == "insurance":
        norm = lambda n: nn.BatchNorm1d(n, eps=BATCH_NORM["epsilon"], momentum=1 - BATCH_NORM["momentum"])  # noqa: E731
        layers = [norm(11), nn.Linear(11, 100), nn.ReLU(), norm(100), nn.Dropout(DROPOUT)]
        layers += [nn.Linear(100, 100), nn.ReLU(), norm(100), nn.Dropout(DROPOUT)]
        layers += [nn.Linear(100, 100), nn.ReLU(), norm(100), nn.Linear(100, 1)]
    elif name == "digits":
        layers = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)]
    elif name == "cnn":
        layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)]
    else:
        layers = [LastState(1, 32), nn.Linear(32, 1)]
    for layer in layers:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


class Eager(Loop):
    """One optimizer step per batch; the loss is added up as a tensor and read once an epoch."""

    fused = None

    def __init__(self, workload, X, y):
        super().__init__(workload, X, y)
        torch.manual_seed(0)
        self.model = network(workload.network)
        self.X, self.y = self.tensor(X), torch.from_numpy(y)
        self.loss = nn.MSELoss() if workload.loss == "mse" else nn.CrossEntropyLoss()
        if workload.loss != "mse":
            self.y = self.y.argmax(1)
        parameters = self.model.parameters()
        if workload.optimizer == "adam":
            self.optimizer = torch.optim.Adam(
                parameters, workload.learning_rate, (ADAM["beta1"], ADAM["beta2"]), ADAM["epsilon"], fused=self.fused
            )
        else:
            self.optimizer = torch.optim.SGD(parameters, workload.learning_rate, fused=self.fused)

    def tensor(self, X):
        """Return the samples in the axis order that PyTorch prefers: channels before height and width."""
        X = torch.from_numpy(X)
        return X.permute(0, 3, 1, 2).contiguous() if X.ndim == 4 else X

    def epoch(self):
        self.model.train()
        total = torch.zeros(())
        if self.steps == 1:
            total += self.step(self.X, self.y)
        else:
            for rows in torch.randperm(len(self.X)).split(self.workload.batch_size):
                total += self.step(self.X[rows], self.y[rows])
        return total.item() / self.steps

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def predict(self, X):
        self.model.eval()
        with torch.no_grad():
            out = self.model(self.tensor(X))
            return (out if self.workload.loss == "mse" else out.softmax(1)).numpy()


class Fused(Eager):
    """The same with PyTorch's fused optimizer (`fused=True`): one kernel for all parameters."""

    fused = True
