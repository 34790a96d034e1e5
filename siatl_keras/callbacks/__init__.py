"""Callbacks: γ, stages, averaging, backups, logs; they know no model class."""

from siatl_keras.callbacks.backup_and_restore import (
    BackupAndRestore,
    TrainingDivergedError,
)
from siatl_keras.callbacks.best_weights import BestWeights
from siatl_keras.callbacks.callback_order import in_order
from siatl_keras.callbacks.complete_logs import CompleteLogs
from siatl_keras.callbacks.epoch_lines import EpochLines
from siatl_keras.callbacks.gamma_decay import GammaDecay
from siatl_keras.callbacks.group_learning_rates import GroupLearningRates
from siatl_keras.callbacks.loss_monitors import LossMonitors
from siatl_keras.callbacks.monitor_directions import MonitorDirections
from siatl_keras.callbacks.phases import Phase, stages
from siatl_keras.callbacks.sequential_unfreezing import SequentialUnfreezing
from siatl_keras.callbacks.set_epoch import SetEpoch
from siatl_keras.callbacks.training_curves import TrainingCurves
from siatl_keras.callbacks.weight_averaging import WeightAveraging

__all__ = [
    "BackupAndRestore",
    "BestWeights",
    "CompleteLogs",
    "EpochLines",
    "GammaDecay",
    "GroupLearningRates",
    "LossMonitors",
    "MonitorDirections",
    "Phase",
    "SequentialUnfreezing",
    "SetEpoch",
    "TrainingCurves",
    "TrainingDivergedError",
    "WeightAveraging",
    "in_order",
    "stages",
]
