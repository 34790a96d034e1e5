"""Losses, metrics, optimizers and callbacks; knows no model class."""

from siatl_keras.training.backup_and_restore import (
    BackupAndRestore,
    TrainingDivergedError,
)
from siatl_keras.training.callback_order import in_order
from siatl_keras.training.complete_logs import CompleteLogs
from siatl_keras.training.fused_optimizers import FusedAdam, FusedSGD
from siatl_keras.training.gamma_decay import GammaDecay
from siatl_keras.training.geometric_decay import GeometricDecay
from siatl_keras.training.group_learning_rates import GroupLearningRates
from siatl_keras.training.grouped_optimizer import GroupedOptimizer
from siatl_keras.training.label_crossentropy import LabelCrossentropy
from siatl_keras.training.level_metrics import LevelAccuracy, LevelError, QuadraticKappa
from siatl_keras.training.loss_monitors import LossMonitors
from siatl_keras.training.macro_f1 import MacroF1
from siatl_keras.training.monitor_directions import MonitorDirections
from siatl_keras.training.one_cycle import OneCycle, OneCycleMomentum
from siatl_keras.training.paper_optimizer import (
    PRETRAINED_OPTIMIZERS,
    PRETRAINED_RATES,
    paper_optimizer,
)
from siatl_keras.training.phases import Phase, stages
from siatl_keras.training.schedules import (
    SCHEDULES,
    ScheduleKind,
    scheduled_adam,
    scheduled_sgd,
)
from siatl_keras.training.sequential_unfreezing import SequentialUnfreezing
from siatl_keras.training.set_epoch import SetEpoch
from siatl_keras.training.slanted_triangular import SlantedTriangular
from siatl_keras.training.task_loss import TaskLoss, task_loss
from siatl_keras.training.task_metric import TaskMetric, task_metric
from siatl_keras.training.token_perplexity import TokenPerplexity
from siatl_keras.training.weight_averaging import WeightAveraging

__all__ = [
    "PRETRAINED_OPTIMIZERS",
    "PRETRAINED_RATES",
    "SCHEDULES",
    "BackupAndRestore",
    "CompleteLogs",
    "FusedAdam",
    "FusedSGD",
    "GammaDecay",
    "GeometricDecay",
    "GroupLearningRates",
    "GroupedOptimizer",
    "LabelCrossentropy",
    "LevelAccuracy",
    "LevelError",
    "LossMonitors",
    "MacroF1",
    "MonitorDirections",
    "OneCycle",
    "OneCycleMomentum",
    "Phase",
    "QuadraticKappa",
    "ScheduleKind",
    "SequentialUnfreezing",
    "SetEpoch",
    "SlantedTriangular",
    "TaskLoss",
    "TaskMetric",
    "TokenPerplexity",
    "TrainingDivergedError",
    "WeightAveraging",
    "in_order",
    "paper_optimizer",
    "scheduled_adam",
    "scheduled_sgd",
    "stages",
    "task_loss",
    "task_metric",
]
