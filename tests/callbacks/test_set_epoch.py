from siatl_keras.callbacks import SetEpoch


def test_it_sets_the_epoch_that_begins():
    class Counter:
        def set(self, epoch):
            self.value = epoch

    counter = Counter()
    SetEpoch(counter).on_epoch_begin(3)
    assert counter.value == 3
