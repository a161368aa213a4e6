"""What a user reads, searched for words that STYLE's glossary replaces: `python .ci/words.py [FILE...]`.

Documents as a whole; of the library and the scripts docstrings, comments and texts (errors, help, what is printed)."""
import ast, io, re, sys, tokenize
from pathlib import Path

repo = Path(__file__).resolve().parent.parent

# What not to write -> what to write
glossary = {
    r'\bpictures?\b': 'image',
    r'\bmaps? of class numbers\b': 'label map',
    r'(?<!ground )(?<!Ground )\btruth\b': 'ground truth',
    r'\bwithout looking\b': 'image-independent baseline',
    r'\bthe route\b|\broutes\b': 'export backend',
    r'\bwhat runs a file\b': 'runtime',
    r'\btimes? of one (picture|image)\b': 'latency',
    r'\bmany times lower\b': 'divided by',
    r'\bthe rate\b|\brates\b': 'learning rate',
    r'\bso-manyth\b': 'n-th',
    r'\bgo(es)? on\b|\bcarr(y|ies) on\b': 'resumes',
    r'\bsquish(es|ed|ing)?\b': 'to resize without keeping the aspect ratio',
    r'\bwhole (picture|image)s?\b': 'full images',
    r'\btaught\b|\bteaches\b': 'distilled from',
    r'\b(story|stories) of\b': 'experiment notebook',
    r'\btrials?\b': 'ablation',
    r'\bceilings?\b': 'upper bound',
    r'\bway and way back\b': 'inverse',
    r'\bfaults?\b': 'error',
    r"\bone's own\b": 'custom',
    r'\bwhoever\b|\bshall\b|\bwhatever\b': 'a plain sentence',
    r'\bcontestants?\b': 'candidate',
    r'\bsuffers?\b': 'int8, quantization',
    r'\b(tells?|looks? at) (the|an?|every) (picture|image|pixel)s?\b': 'predicts',
}

allowed = {'scripts/nyu_figures.py': ('picture', 'ceiling')} # File -> words that are the names of something, here NYU's classes

def texts_of_code(source):
    "Line number and text of every docstring, string and comment of Python code."
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ' ' in node.value.strip():
            for i,line in enumerate(node.value.splitlines()): yield node.lineno+i, line
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type==tokenize.COMMENT: yield token.start[0], token.string

def found_words(file):
    "File, line, word and what to write for every word of the glossary in a file."
    source = (repo/file).read_text()
    is_code = file.endswith('.py')
    lines = texts_of_code(source) if is_code else enumerate(re.sub(r'`[^`\n]*`', '``', source).splitlines(), 1)
    for number,line in lines:
        line = re.sub(r'`[^`]*`', '``', line) # names of code stay
        for pattern,better in glossary.items():
            for match in re.finditer(pattern, line, re.I):
                if match[0] not in allowed.get(file, ()): yield f'{file}:{number}: {match[0]!r}: {better}'

def files():
    "Documents, library and scripts."
    documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'weights/README.md', 'settings.ini']
    code = [*(repo/'mobiledepth').rglob('*.py'), *(repo/'scripts').glob('*.py')]
    return documents + sorted(o.relative_to(repo).as_posix() for o in code if o.name!='_modidx.py')

def main():
    found = [line for file in sys.argv[1:] or files() for line in found_words(file)]
    print(*found, sep='\n')
    print(f'{len(found)} words of the glossary')
    return bool(found)

if __name__=='__main__': sys.exit(main())
