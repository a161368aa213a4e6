"A smoke test of the library beside whatever fastai lies in the folder given, with nbdev out of reach: `python .ci/newest_fastai.py FOLDER`."
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.modules['nbdev'] = None # the library must not need it

import fastai, fastcore
from fastai.vision.all import *
from import_all import import_all
from mobiledepth.checkpoints import load_unet, save_unet
from mobiledepth.cli import main, verb_parser
from mobiledepth.data.camvid import camvid_dls, tiny_camvid
from mobiledepth.data.street import street_dls
from mobiledepth.learner import mobile_unet_learner
from mobiledepth.models import Unet
from mobiledepth.resume import ResumeTraining

def random_dls():
    "Pictures and class maps of random numbers."
    items = [(torch.rand(3, 32, 48), torch.randint(0, 5, (32, 48))) for _ in range(12)]
    return DataLoaders.from_dsets(items[:8], items[8:], bs=4, num_workers=0)

def changed(learn, *args, **kwargs):
    "Does a fit change every parameter, and end in a finite loss?"
    before = [p.detach().clone() for p in learn.model.parameters()]
    with learn.no_bar(), learn.no_logging(): learn.fine_tune(*args, **kwargs)
    assert all(torch.isfinite(tensor(learn.recorder.values[-1]))), learn.recorder.values
    return all(not torch.equal(a, b) for a,b in zip(before, learn.model.parameters()))

def check_plain_learner():
    set_seed(0)
    learn = Learner(random_dls(), Unet('mobilenetv3_small_050', num_classes=5, pretrained=False), loss_func=CrossEntropyLossFlat(axis=1))
    assert changed(learn, 1, 1e-2, freeze_epochs=1), 'a parameter was not trained'

def check_own_learner(folder):
    set_seed(0)
    dls = camvid_dls(tiny_camvid(folder/'camvid'), size=(32,48), bs=4, num_workers=0)
    learn = mobile_unet_learner(dls, 'mobilenetv3_small_050', pretrained=False)
    assert changed(learn, 1, 1e-2, freeze_epochs=0), 'a parameter was not trained'
    with learn.no_bar(): learn.show_results()
    x = dls.one_batch()[0].cpu()
    learn.export(folder/'learner.pkl')
    again = load_learner(folder/'learner.pkl').model.eval()
    saved = load_unet(save_unet(learn, folder/'unet.safetensors'))
    with torch.no_grad(): want = learn.model.cpu().eval()(x)
    for model in (again, saved): torch.testing.assert_close(model(x), want)

class Stop(Callback):
    "End the fit by an error, in the second epoch."
    def before_epoch(self):
        if self.epoch==1: raise KeyboardInterrupt

def check_resume(folder):
    "A fit that was stopped and taken up again ends as one that was not."
    def fit(name, *cbs):
        set_seed(0, reproducible=True)
        dls = street_dls(size=(48,64), num_workers=0, cache=False)
        learn = mobile_unet_learner(dls, 'mobilenetv3_small_050', pretrained=False)
        with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(2, 1e-2, cbs=[ResumeTraining(folder/name), *cbs])
        return learn.model
    calm = fit('calm.pt')
    try: fit('stopped.pt', Stop())
    except KeyboardInterrupt: pass
    for a,b in zip(calm.parameters(), fit('stopped.pt').parameters()): assert torch.equal(a, b), 'weights differ after a fit was taken up again'

def check_commands(folder):
    assert '--path' in verb_parser('train').format_help()
    assert main(['table', '--results', str(folder)])==0

if __name__=='__main__':
    overlay = Path(sys.argv[1]).resolve()
    for o in (fastai, fastcore):
        if overlay not in Path(o.__file__).resolve().parents: sys.exit(f'{o.__name__} was imported from {o.__file__}, not from {overlay}')
    import_all()
    check_plain_learner()
    with TemporaryDirectory() as folder:
        check_own_learner(Path(folder))
        check_resume(Path(folder))
        check_commands(folder)
    print(f'       fastai {fastai.__version__}, fastcore {fastcore.__version__}')
