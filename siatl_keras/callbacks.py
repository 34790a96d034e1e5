"""The callbacks, under the name where Keras users look for them."""

from siatl_keras.training.backup_and_restore import BackupAndRestore
from siatl_keras.training.callback_order import in_order
from siatl_keras.training.gamma_decay import GammaDecay
from siatl_keras.training.group_learning_rates import GroupLearningRates
from siatl_keras.training.sequential_unfreezing import SequentialUnfreezing
from siatl_keras.training.set_epoch import SetEpoch
from siatl_keras.training.weight_averaging import WeightAveraging

__all__ = [
    "BackupAndRestore",
    "GammaDecay",
    "GroupLearningRates",
    "SequentialUnfreezing",
    "SetEpoch",
    "WeightAveraging",
    "in_order",
]
