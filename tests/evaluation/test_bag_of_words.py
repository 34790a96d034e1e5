from siatl_keras.evaluation import bag_of_words_baseline

TEXTS = [
    "where is my parcel",
    "the parcel is late",
    "no parcel came today",
    "refund my money please",
    "i want my money back",
    "money was taken twice",
]
LABELS = [0, 0, 0, 1, 1, 1]


def test_words_that_tell_the_classes_apart_are_learnt():
    report = bag_of_words_baseline(
        TEXTS, LABELS, ["my parcel", "my money"], [0, 1], ["delivery", "refund"]
    )
    assert report.accuracy == 1.0
    assert report.label_names == ["delivery", "refund"]


def test_the_same_data_gives_the_same_report():
    test = (["nothing of it was heard before", "money for a parcel"], [0, 1])
    reports = [
        bag_of_words_baseline(TEXTS, LABELS, *test, ["delivery", "refund"])
        for _ in range(2)
    ]
    assert reports[0] == reports[1]


def test_a_class_without_training_texts_stays_in_the_report():
    report = bag_of_words_baseline(
        TEXTS, LABELS, ["my parcel", "hello"], [0, 2], ["delivery", "refund", "other"]
    )
    assert report.support == [1, 0, 1]
