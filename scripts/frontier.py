"""Compare accuracy and latency of small networks with the same encoder, of this library and of others, on CamVid.

`python scripts/frontier.py NAME --seed N` trains one network of another library, evaluates it on the test frames and
writes a record of kind 'frontier'. Every network starts from the same ImageNet weights of EfficientNet-Lite0 and uses
the same crops, learning rate and number of epochs at 128x160. Our three sizes are experiments of the library
(`mobiledepth train camvid-s`), other decoders are its ablations (`mobiledepth train camvid-candidate-stride4`). The
other networks are from the packages segmentation-models-pytorch and torchvision.

`python scripts/frontier.py bench` measures the latency of all networks, and of the encoder alone, in ONNX Runtime and
LiteRT with interleaved timing and one thread: the input is a float image of 128x160, the output logits of this size.
The weights are random, because they do not change the latency. The script writes one record for each network and
runtime."""
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

class Peer(nn.Module):
    "Decoder and head of another library on our encoder with ImageNet weights; logits at the size of the image."
    def __init__(self, encoder, decoder, head, weights_from):
        super().__init__()
        self.normalize = InputNormalize((.5,)*3, (.5,)*3)
        self.encoder = encoder
        self.decoder = decoder
        self.head = head
        self.encoder.weights_from = weights_from

    def forward(self, x):
        res = self.head(self.decoder(self.encoder(self.normalize(x))))
        return F.interpolate(res, size=x.shape[-2:], mode='bilinear', align_corners=False)

def smp_peer(settings, architecture):
    "Return a network of segmentation_models_pytorch."
    import segmentation_models_pytorch as smp
    net = getattr(smp, architecture)(f'tu-{settings.backbone}', encoder_weights=None, classes=11)
    ours = TimmEncoder(settings.backbone, pretrained=settings.pretrained)
    net.encoder.model.load_state_dict(ours.body.state_dict())
    return Peer(net.encoder, net.decoder, net.segmentation_head, ours.weights_from)

class LowHigh(nn.Module):
    "Adapter for torchvision's LR-ASPP head, which takes its two feature maps by name."
    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, maps): return self.head(dict(zip(('low', 'high'), maps)))

def lraspp_peer(settings, output_stride):
    "Return LR-ASPP with torchvision's head on feature maps of stride 8 and `output_stride` (16 in torchvision)."
    from torchvision.models.segmentation.lraspp import LRASPPHead
    options = dict(output_stride=output_stride)
    encoder = TimmEncoder(settings.backbone, options, (2, 4), pretrained=settings.pretrained)
    decoder = LowHigh(LRASPPHead(*encoder.channels, 11, 128))
    return Peer(encoder, decoder, nn.Identity(), encoder.weights_from)

peers = {'smp-unet': partial(smp_peer, architecture='Unet'),
         'smp-deeplabv3plus': partial(smp_peer, architecture='DeepLabV3Plus'),
         'lraspp': partial(lraspp_peer, output_stride=32),
         'lraspp-dilated': partial(lraspp_peer, output_stride=16)}

class Encoder(nn.Module):
    "Lower bound of the latency: normalization and encoder only."
    def __init__(self, backbone):
        super().__init__()
        self.normalize = InputNormalize((.5,)*3, (.5,)*3)
        self.encoder = TimmEncoder(backbone)

    def forward(self, x): return self.encoder(self.normalize(x))[-1]

def random_unet(name):
    "Return the network of experiment `name` with random weights."
    settings = get_settings(name)
    return Unet(settings.backbone, num_classes=11, pretrained=False, **network_options(settings))

def timed_nets():
    "Return all networks by the names of their runs, with random weights."
    random = replace(frontier, pretrained=False)
    ours = {name: random_unet(name) for name in ('camvid-s', 'camvid-m', 'camvid-l', 'camvid-student')}
    theirs = {f'camvid-{name}': make(random) for name,make in peers.items()}
    return {'encoder': Encoder(random.backbone), **ours, **theirs}

def write_raw(net, name, folder):
    "Write the network as an ONNX and a LiteRT file."
    import litert_torch
    x = torch.rand(1, 3, *frontier.size)
    torch.onnx.export(net, (x,), folder/f'{name}.onnx', dynamo=True, external_data=False, verbose=False)
    litert_torch.convert(net, (x,)).export(str(folder/f'{name}.tflite'))

def time_all(results, repeats, threads):
    "Export all networks, measure their latency, and write records."
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        about = {}
        for name,net in timed_nets().items():
            params = sum(p.numel() for p in net.parameters())
            about[name] = dict(params=params, macs=macs(net, frontier.size))
            write_raw(net.eval(), name, folder)
            print(f'{name} written', flush=True)
        print('measuring latency', flush=True)
        candidates = []
        for suffix in ('onnx', 'tflite'):
            for name,facts in about.items():
                candidates.append(raw_candidate(folder/f'{name}.{suffix}', threads, name, **facts))
        timed = bench(candidates, threads, repeats, out=results, starts=0)
        print(bench_table(timed))

@call_parse
def main(
    name:str,             # Name of a network, or bench; another word prints all names
    seed:int=0,           # Seed of loaders, network and augmentation
    path:str=None,        # Folder of CamVid; default: $MOBILEDEPTH_DATA/camvid
    results:str='runs',   # Folder for the record
    threads:int=1,        # Number of threads of PyTorch, or of the runtimes
    repeats:int=100,      # Number of measured calls of `bench`
):
    "Train one network and write its record, or measure the latency of all networks."
    if name=='bench': return time_all(results, repeats, threads)
    if name not in peers: sys.exit(f'{name}: expected bench, or one of ' + ', '.join(peers))
    torch.set_num_threads(threads)
    run_settings(f'camvid-{name}', frontier, seed, path, results, 'frontier', peers[name])
