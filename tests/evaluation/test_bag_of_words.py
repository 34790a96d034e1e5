from siatl_keras.evaluation import bag_of_words_baseline
from siatl_keras.tasks import SingleLabel

TEXTS = [
    "where is my parcel",
    "the parcel is late",
    "no parcel came today",
    "refund my money please",
    "i want my money back",
    "money was taken twice",
]
LABELS = [0, 0, 0, 1, 1, 1]
TASK = SingleLabel(["delivery", "refund"])


def test_words_that_tell_the_classes_apart_are_learnt():
    report = bag_of_words_baseline(
        TASK, TEXTS, LABELS, ["my parcel", "my money"], [0, 1]
    )
    assert report.accuracy == 1.0
    assert report.label_names == ["delivery", "refund"]


def test_the_same_data_gives_the_same_report():
    test = (["nothing of it was heard before", "money for a parcel"], [0, 1])
    reports = [bag_of_words_baseline(TASK, TEXTS, LABELS, *test) for _ in range(2)]
    assert reports[0] == reports[1]


def test_a_class_without_training_texts_stays_in_the_report():
    task = SingleLabel(["delivery", "refund", "other"])
    report = bag_of_words_baseline(task, TEXTS, LABELS, ["my parcel", "hello"], [0, 2])
    assert report.support == [1, 0, 1]
