"""Streets that are generated: `street_dls` gives batches of the packaged ones"""

def __getattr__(name):
    "Loaders need fastai, and the processes that only render should not wait for it."
    if name not in ('street_dls', 'street_test_dl'): raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from . import loaders
    return getattr(loaders, name)
