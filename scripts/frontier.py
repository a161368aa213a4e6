"""Small networks on one encoder, ours and others', trained alike on CamVid, and timed in one run.

`python scripts/frontier.py NAME --seed N` trains one network and leaves its record. Every network starts from the same
ImageNet weights of EfficientNet-Lite0 and sees the same crops, learning rates and number of epochs at 128x160.
`candidate-...` are the decoders that were tried: short runs, scored on a sequence of train that is held out, of kind
'ablation'. The others are scored on the test frames, of kind 'frontier': our three sizes are experiments of the library
(`mobiledepth train camvid-s`), and the peers come from `pip install segmentation-models-pytorch` and torchvision.

`python scripts/frontier.py bench` times all of them, and the encoder alone, in ONNX Runtime and LiteRT: an image of
128x160 in floats in, logits of that size out, one thread, every network in every turn. Weights do not change the
latency, so they are random. It leaves one record for each network and runtime."""
import sys, tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from fastcore.script import call_parse
from torch import nn
from torch.nn import functional as F

from mobiledepth.measure.bench import bench, bench_table
from mobiledepth.measure.candidate import raw_candidate
from mobiledepth.models import InputNormalize, TimmEncoder, Unet
from mobiledepth.runs.config import get_settings
from mobiledepth.runs.experiments import network_options, run_settings
from mobiledepth.runs.history import macs

frontier = replace(get_settings('camvid-student'), epochs=19)
candidate = replace(frontier, epochs=11, holdout='0006R0')
candidates = dict(
    stride16=dict(fusion='add', backbone_indices=(1,2,3), decoder_channels=(64,64)),
    stride4=dict(fusion='add', backbone_indices=(1,2,3,4), decoder_channels=(96,64,48)),
    stride2=dict(fusion='add', decoder_channels=(96,64,48,32)),
    wide=dict(fusion='add', decoder_channels=(160,128,96,64)),
    paper=dict(fusion='concat', decoder_channels=(96,64,48,32)))

class Peer(nn.Module):
    "Another library's decoder and head behind our encoder's ImageNet weights; logits at the size of the image."
    def __init__(self, encoder, decoder, head, weights_from):
        super().__init__()
        self.normalize = InputNormalize((.5,)*3, (.5,)*3)
        self.encoder,self.decoder,self.head = encoder,decoder,head
        self.encoder.weights_from = weights_from

    def forward(self, x):
        res = self.head(self.decoder(self.encoder(self.normalize(x))))
        return F.interpolate(res, size=x.shape[-2:], mode='bilinear', align_corners=False)

def smp_peer(s, architecture):
    "A network of segmentation_models_pytorch."
    import segmentation_models_pytorch as smp
    net = getattr(smp, architecture)(f'tu-{s.backbone}', encoder_weights=None, classes=11)
    ours = TimmEncoder(s.backbone, pretrained=s.pretrained)
    net.encoder.model.load_state_dict(ours.body.state_dict())
    return Peer(net.encoder, net.decoder, net.segmentation_head, ours.weights_from)

class LowHigh(nn.Module):
    "torchvision's LR-ASPP head takes its two maps by name."
    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, maps): return self.head(dict(zip(('low', 'high'), maps)))

def lraspp_peer(s, output_stride):
    "torchvision's LR-ASPP head on the maps of stride 8 and of `output_stride`, which torchvision dilates to 16."
    from torchvision.models.segmentation.lraspp import LRASPPHead
    enc = TimmEncoder(s.backbone, dict(output_stride=output_stride), (2, 4), pretrained=s.pretrained)
    return Peer(enc, LowHigh(LRASPPHead(*enc.channels, 11, 128)), nn.Identity(), enc.weights_from)

peers = {'smp-unet': partial(smp_peer, architecture='Unet'),
         'smp-deeplabv3plus': partial(smp_peer, architecture='DeepLabV3Plus'),
         'lraspp': partial(lraspp_peer, output_stride=32),
         'lraspp-dilated': partial(lraspp_peer, output_stride=16)}

def run_of(name):
    "Settings, kind and maker of the network called `name`; the maker is None for a `Unet`."
    if name in peers: return frontier, 'frontier', peers[name]
    return replace(candidate, **candidates[name.removeprefix('candidate-')]), 'ablation', None

class Encoder(nn.Module):
    "The lower bound: mean and std, and the encoder to its deepest map."
    def __init__(self, s):
        super().__init__()
        self.normalize = InputNormalize((.5,)*3, (.5,)*3)
        self.encoder = TimmEncoder(s.backbone)

    def forward(self, x): return self.encoder(self.normalize(x))[-1]

def random_unet(name):
    "The network of the experiment called `name`, on random weights."
    s = get_settings(name)
    return Unet(s.backbone, num_classes=11, pretrained=False, **network_options(s))

def timed_nets():
    "All networks by the names of their runs, on random weights."
    s = replace(frontier, pretrained=False)
    ours = {k: random_unet(k) for k in ('camvid-s', 'camvid-m', 'camvid-l', 'camvid-student')}
    return {'encoder': Encoder(s), **ours, **{f'camvid-{k}': make(s) for k,make in peers.items()}}

def write_raw(net, name, folder):
    "The network as an ONNX and a LiteRT file."
    import litert_torch
    x = torch.rand(1, 3, *frontier.size)
    torch.onnx.export(net, (x,), folder/f'{name}.onnx', dynamo=True, external_data=False, verbose=False)
    litert_torch.convert(net, (x,)).export(str(folder/f'{name}.tflite'))

def time_all(results, repeats, threads):
    "Write, time and record all networks."
    with tempfile.TemporaryDirectory() as tmp:
        nets,about = timed_nets(),{}
        for name,net in nets.items():
            about[name] = dict(params=sum(p.numel() for p in net.parameters()), macs=macs(net, frontier.size))
            write_raw(net.eval(), name, Path(tmp))
            print(f'{name} written', flush=True)
        print('timing', flush=True)
        timed = [raw_candidate(Path(tmp)/f'{k}.{suffix}', threads, k, **v)
                 for suffix in ('onnx', 'tflite') for k,v in about.items()]
        print(bench_table(bench(timed, threads, repeats, out=results, starts=0)))

names = [*(f'candidate-{o}' for o in candidates), *peers]

@call_parse
def main(
    name:str,             # Of the network, or bench; another word prints all names
    seed:int=0,           # Of loaders, network and augmentation
    path:str=None,        # Folder of CamVid; else $MOBILEDEPTH_DATA/camvid
    results:str='runs',   # Folder for the record
    threads:int=1,        # Threads of PyTorch, or of the runtimes
    repeats:int=100,      # Turns of `bench`
):
    "Train one network and leave its record, or time them all."
    if name=='bench': return time_all(results, repeats, threads)
    if name not in names: sys.exit(f'{name}: expected bench, or one of ' + ', '.join(names))
    torch.set_num_threads(threads)
    s,kind,make_model = run_of(name)
    run_settings(f'camvid-{name}', s, seed, path, results, kind, make_model)
