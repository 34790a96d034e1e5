"""The peer in PyTorch: the same sizes and loss, `nn.LSTM` and `cross_entropy`.

Stages as the authors' code does them: every stage does the full work, forward and
backward, and the stage decides which optimizers step.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.sizes import Sizes

GAMMA = 0.2


class LanguageModel(nn.Module):
    """Embedding, LSTMs, a projection, and a softmax tied to the embedding."""

    def __init__(self, sizes):
        super().__init__()
        self.embedding = nn.Embedding(sizes.vocabulary, sizes.embedding, padding_idx=0)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        self.lstm = nn.LSTM(
            sizes.embedding, sizes.hidden, sizes.layers, batch_first=True
        )
        self.down = nn.Linear(sizes.hidden, sizes.embedding)
        self.bias = nn.Parameter(torch.zeros(sizes.vocabulary))

    def forward(self, token_ids):
        """Returns hidden states `[batch, time, embedding]`."""
        return self.down(self.lstm(self.embedding(token_ids))[0])

    def loss(self, hidden, targets):
        """Returns the mean loss over the tokens that are not padding."""
        logits = functional.linear(hidden, self.embedding.weight, self.bias)
        return functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=0
        )


class Classifier(nn.Module):
    """A task LSTM, attention and a softmax on a language model."""

    def __init__(self, sizes):
        super().__init__()
        self.lm = LanguageModel(sizes)
        self.lstm = nn.LSTM(sizes.embedding, sizes.task_units, batch_first=True)
        self.attention = nn.Linear(sizes.task_units, 1)
        self.classes = nn.Linear(sizes.task_units, sizes.classes)

    def forward(self, token_ids):
        """Returns task logits and the language model's hidden states."""
        hidden = self.lm(token_ids)
        states = self.lstm(hidden)[0]
        scores = torch.tanh(self.attention(states))
        scores = scores.masked_fill(token_ids[:, :, None] == 0, -torch.inf)
        pooled = (torch.softmax(scores, 1) * states).sum(1)
        return self.classes(pooled), hidden


class Finetuning:
    """A classifier in training, with an optimizer for each of its three groups."""

    def __init__(self, sizes):
        self.model = Classifier(sizes)
        lm = self.model.lm
        embedding = [lm.embedding.weight, lm.bias]
        backbone = [*lm.lstm.parameters(), *lm.down.parameters()]
        pretrained = {id(p) for p in embedding + backbone}
        task = [p for p in self.model.parameters() if id(p) not in pretrained]
        self.groups = [task, backbone, embedding]
        self.optimizers = [
            torch.optim.Adam(task, 5e-4),
            torch.optim.SGD(backbone, 1e-4),
            torch.optim.SGD(embedding, 1e-4),
        ]

    def step(self, stage, inputs, targets, labels):
        """Makes a training step on numpy arrays; returns the loss."""
        self.model.train()
        loss = self._loss(inputs, targets, labels)
        self.model.zero_grad()
        loss.backward()
        for group in self.groups[:stage]:
            nn.utils.clip_grad_norm_(group, 1.0)
        for optimizer in self.optimizers[:stage]:
            optimizer.step()
        return loss.item()

    def evaluate(self, inputs, targets, labels):
        """Returns the loss on numpy arrays."""
        self.model.eval()
        with torch.no_grad():
            return self._loss(inputs, targets, labels).item()

    def _loss(self, inputs, targets, labels):
        inputs, targets, labels = (
            torch.from_numpy(array).long() for array in (inputs, targets, labels)
        )
        logits, hidden = self.model(inputs)
        loss = functional.cross_entropy(logits, labels)
        return loss + GAMMA * self.model.lm.loss(hidden, targets)


def finetuning_step(stage, **sizes):
    """Makes a training step of a stage, 1 to 3."""
    sizes = Sizes(**sizes)
    peer = Finetuning(sizes)
    token_ids = sizes.token_ids()
    batch = (token_ids[:, :-1].copy(), token_ids[:, 1:].copy(), sizes.labels())
    return lambda: peer.step(stage, *batch)


def pretraining_step(**sizes):
    """Makes a training step of the language model."""
    sizes = Sizes(**sizes)
    model = LanguageModel(sizes)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    token_ids = torch.from_numpy(sizes.token_ids()).long()
    inputs, targets = token_ids[:, :-1].contiguous(), token_ids[:, 1:].contiguous()

    def step():
        loss = model.loss(model(inputs), targets)
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def lstm_step(**sizes):
    """Makes a forward and backward pass through the LSTMs alone."""
    sizes = Sizes(**sizes)
    model = nn.LSTM(sizes.embedding, sizes.hidden, sizes.layers, batch_first=True)
    inputs = torch.randn(sizes.batch, sizes.time, sizes.embedding, requires_grad=True)

    def step():
        model.zero_grad()
        inputs.grad = None
        loss = model(inputs)[0].sum()
        loss.backward()
        return loss.item()

    return step
