"""The order of the modules, and the check of it: `python .ci/imports.py`; with `--graph` it prints all imports.

- Nothing is imported in a circle.
- Inside a folder a notebook imports only from those with smaller numbers.
- A folder imports only from those in `layers` before it, or from its own layer.
- No package `__init__` imports anything.
- Only the modules in `may_render` import the renderer, `street`, and only inside functions.

For all but the last rule only imports at the top of a module count: what a function imports when it is called is there
to save time, or belongs to one of several tasks, data sets or runtimes that are chosen by name."""
import ast, re, sys
from pathlib import Path

repo = Path(__file__).resolve().parent.parent
library = repo/'mobiledepth'
layers = [['', 'data', 'segmentation', 'depth'], ['runs'], ['deploy'], ['measure'], ['street'], ['last']]
last = 'cli', 'all', '__main__' # top-level modules that may import everything
may_render = 'data.street', 'cli'

def module_files():
    "Module, without `mobiledepth.` in front -> file."
    files = [o for o in sorted(library.rglob('*.py')) if o.name not in ('__init__.py', '_modidx.py')]
    return {'.'.join(o.relative_to(library).with_suffix('').parts): o for o in files}

def folder_of(module):
    "The folder of a module; '' at the top level, 'last' for those that may import everything."
    return 'last' if module in last else module.rpartition('.')[0]

def layer_of(module): return next(i for i,folders in enumerate(layers) if folder_of(module) in folders)

def number_of(module):
    "The number of the notebook that makes a module; None where none does."
    folder,_,name = module.rpartition('.')
    numbers = [re.fullmatch(rf'(\d+)_{name}', o.stem) for o in (repo/'nbs'/folder).glob('*.ipynb')]
    return next((int(o[1]) for o in numbers if o), None)

def targets(node, module, modules):
    "The modules of the library that one import statement names."
    if isinstance(node, ast.Import): names = [o.name for o in node.names]
    else:
        above = f'mobiledepth.{module}'.split('.')[:-node.level] if node.level else []
        base = '.'.join([*above, *([node.module] if node.module else [])])
        names = [f'{base}.{o.name}' for o in node.names] + [base]
    names = [o.removeprefix('mobiledepth.') for o in names]
    return {o for o in names if o in modules and o!=module}

def imports(file, module, modules):
    "What a module imports at its top, and inside functions."
    top,inside = set(),set()
    def visit(node, found):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.Import, ast.ImportFrom)): found |= targets(child, module, modules)
            visit(child, inside if isinstance(child, (ast.FunctionDef, ast.Lambda)) else found)
    visit(ast.parse(file.read_text()), top)
    return top, inside-top

def find_cycle(graph):
    "Modules that import each other in a circle; None where there is no circle."
    floors = {}
    def floor(module, path):
        if module in path: return path[path.index(module):] + [module]
        if module in floors: return None
        for o in sorted(graph[module]):
            if cycle := floor(o, path + [module]): return cycle
        floors[module] = 1 + max((floors[o] for o in graph[module]), default=-1)
    for module in graph:
        if cycle := floor(module, []): return cycle, floors
    return None, floors

def faults(modules, top, inside):
    "A sentence for each import that breaks a rule."
    for m in modules:
        for o in sorted(top[m]):
            if layer_of(o)>layer_of(m): yield f'{m} imports {o}, of a later folder'
            same_folder = folder_of(o)==folder_of(m) and None not in (number_of(o), number_of(m))
            if same_folder and number_of(o)>=number_of(m): yield f'{m} imports {o}, of a later notebook'
        if folder_of(m)=='street': continue
        drawing = sorted(o for o in inside[m] if folder_of(o)=='street')
        if drawing and m not in may_render: yield f'{m} imports the renderer: {", ".join(drawing)}'
    for o in sorted(library.rglob('__init__.py')):
        if any(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.walk(ast.parse(o.read_text()))):
            yield f'{o.relative_to(repo)} imports something'

def main(graph=False):
    "Print the imports that break a rule, and with `graph` all of them; 1 where one breaks a rule."
    modules = module_files()
    unknown = sorted({folder_of(o) for o in modules} - {o for folders in layers for o in folders})
    if unknown:
        print(f'.ci/imports.py does not know the folders {", ".join(unknown)}: add them to `layers`')
        return 1
    both = {m: imports(f, m, modules) for m,f in modules.items()}
    top,inside = ({m: o[i] for m,o in both.items()} for i in (0, 1))
    cycle,floors = find_cycle(top)
    if graph:
        for m in modules:
            later = ' | ' + ' '.join(sorted(inside[m])) if inside[m] else ''
            print(f'{floors.get(m, "?"):>2}  {m:24} {" ".join(sorted(top[m]))}{later}')
        n_top,n_inside = (sum(map(len, o.values())) for o in (top, inside))
        n_floors = 1 + max(floors.values())
        print(f'{len(modules)} modules, {n_top} imports at the top, {n_inside} inside functions, {n_floors} floors')
    found = list(faults(modules, top, inside))
    if cycle: found.append('in a circle: ' + ' -> '.join(cycle))
    for o in found: print(o)
    return 1 if found else 0

if __name__=='__main__': sys.exit(main('--graph' in sys.argv))
