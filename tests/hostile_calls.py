"""Objects that a careless reader would execute: a part of the corpus of hostile pickles.

CALLS: name -> (what it tries, what the refusal says, the object). Where a payload runs, it makes a
file named MARK in the current folder. ARMED names those with which Python's own unpickler does.
"""

from __future__ import annotations

import pickle

from tests.legacy_files import Apply, Global, Persistent, Raw, encode

MARK = "something_ran"
TOUCH = f"touch {MARK}"
OPEN = f"open({MARK!r}, 'w').close()"
SYSTEM = Global("os", "system")
GETATTR = Global("builtins", "getattr")
ORDERED = Global("collections", "OrderedDict")
RUN_SYSTEM = Apply(SYSTEM, (TOUCH,))


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, (OPEN,)


def _calls(module_name: str, name: str, *arguments: object) -> tuple[str, Apply]:
    return f"it names {module_name}.{name}, which", Apply(Global(module_name, name), arguments)


CALLS: dict[str, tuple[str, str, object]] = {
    # Things to run, by each opcode that can import or call.
    "os.system": ("run a shell", *_calls("os", "system", TOUCH)),
    "posix.system": ("run a shell by the other name of os", *_calls("posix", "system", TOUCH)),
    "builtins.eval": ("evaluate a text", *_calls("builtins", "eval", OPEN)),
    "builtins.exec": ("execute a text", *_calls("builtins", "exec", OPEN)),
    "builtins.open": ("make a file", *_calls("builtins", "open", MARK, "w")),
    "__builtin__.eval": ("eval by its name in Python 2", *_calls("__builtin__", "eval", OPEN)),
    "builtins.__import__": ("import", *_calls("builtins", "__import__", "antigravity")),
    "importlib": ("import", *_calls("importlib", "import_module", "antigravity")),
    "runpy": ("run a script", *_calls("runpy", "run_path", "/tmp/script.py")),
    "marshal": ("load byte code", *_calls("marshal", "loads", b"c")),
    "ctypes": ("load a shared library", *_calls("ctypes", "CDLL", "/tmp/library.so")),
    "code object": ("build a function of byte code", *_calls("types", "FunctionType", None, {})),
    "pickle in a pickle": (
        "hand a second pickle to Python's own reader",
        *_calls("pickle", "loads", pickle.dumps(Runs())),
    ),
    "functools.partial": ("hide a call", *_calls("functools", "partial", SYSTEM, TOUCH)),
    "namedtuple": (
        "reach an exec inside a library",
        *_calls("collections", "namedtuple", "A", OPEN),
    ),
    "atexit": ("run something later", *_calls("atexit", "register", Global("os", "abort"))),
    "socket": ("speak to the network", *_calls("socket", "create_connection", ("127.0.0.1", 9))),
    "pty": ("run a program through a library", *_calls("pty", "spawn", "true")),
    "timeit": ("reach an exec inside a library", *_calls("timeit", "timeit", "pass", OPEN)),
    "file removal": ("delete a folder", *_calls("shutil", "rmtree", "/tmp/nothing")),
    "recursion limit": ("change the interpreter", *_calls("sys", "setrecursionlimit", 10)),
    "subprocess.Popen": ("run a program", *_calls("subprocess", "Popen", ["touch", MARK])),
    "NEWOBJ": (
        "make an object of any class",
        "it names subprocess.Popen, which",
        Apply(Global("subprocess", "Popen"), (["touch", MARK],), opcode=b"\x81"),
    ),
    "STACK_GLOBAL": (
        "name os.system by two texts of the stack",
        "it names os.system, which",
        Raw(encode("os") + encode("system") + b"\x93" + encode((TOUCH,)) + b"R"),
    ),
    "STACK_GLOBAL from the memo": (
        "put the name together out of remembered texts",
        "it names os.system, which",
        Raw(encode(["system", "os"]) + encode("os") + b"\x94" + encode("system") + b"\x94\x93"),
    ),
    "STACK_GLOBAL of no texts": ("name a global by numbers", "no text", Raw(b"K\x01K\x02\x93")),
    "INST": ("call by INST", "opcode 0x69", Raw(b"(" + encode(TOUCH) + b"ios\nsystem\n")),
    "OBJ": ("call by OBJ", "it names os.system", Raw(b"(" + encode(SYSTEM) + encode(TOUCH) + b"o")),
    "OBJ of a word": ("call a word by OBJ", "opcode 0x6f", Raw(b"(" + encode(ORDERED) + b"o")),
    "NEWOBJ_EX": ("call with names", "opcode 0x92", Raw(encode(ORDERED) + b")}\x92")),
    "NEWOBJ_EX of Popen": (
        "run a program with named arguments",
        "it names subprocess.Popen",
        Raw(encode(Global("subprocess", "Popen")) + b")" + encode({"args": TOUCH}) + b"\x92"),
    ),
    "EXT1": ("fetch from copyreg's registry", "opcode 0x82", Raw(b"\x82\x01")),
    "EXT2": ("fetch from copyreg's registry", "opcode 0x83", Raw(b"\x83\x01\x00")),
    "EXT4": ("fetch from copyreg's registry", "opcode 0x84", Raw(b"\x84\x01\x00\x00\x00")),
    "PERSID": ("have a path opened by its name", "opcode 0x50", Raw(b"P/etc/passwd\n")),
    "BINPERSID": (
        "refer to a storage outside of any",
        "outside the file",
        Persistent(("storage", "FloatStorage", "1", "cpu", 1, None)),
    ),
    "BINPERSID of a call": ("call for an identity", "it names os.system", Persistent(RUN_SYSTEM)),
    "BYTEARRAY8": ("writable bytes for a storage", "ends too early", Raw(b"\x96" + b"\xff" * 8)),
    "NEXT_BUFFER": ("take bytes from outside", "opcode 0x97", Raw(b"\x97")),
    "READONLY_BUFFER": ("take bytes from outside", "opcode 0x98", Raw(b"N\x98")),
    # Calls in hiding.
    "reduce in a reduce": (
        "call the result of calls",
        "it names builtins.getattr",
        Apply(Apply(GETATTR, (Apply(GETATTR, (Global("os", "path"), "os")), "system")), (TOUCH,)),
    ),
    "call in an argument": (
        "call on the way to a word",
        "names os.system",
        Apply(ORDERED, (RUN_SYSTEM,)),
    ),
    "call in a state": (
        "call on the way to BUILD",
        "names os.system",
        Apply(ORDERED, (), RUN_SYSTEM),
    ),
    "call for a key": (
        "call for a dict's key",
        "names os.system",
        Raw(b"}" + encode(RUN_SYSTEM) + b"Ns"),
    ),
    "call thrown away": (
        "leave no trace on the stack",
        "names os.system",
        Raw(encode(RUN_SYSTEM) + b"0N"),
    ),
    "call before a good object": (
        "call behind a mark that is dropped",
        "names os.system",
        Raw(b"(" + encode(RUN_SYSTEM) + b"1N"),
    ),
    "getattr of a word": (
        "climb from a word",
        "it names builtins.getattr",
        Apply(GETATTR, (ORDERED, "__init__")),
    ),
    "dotted name": (
        "climb from a word by dots",
        "it names collections.OrderedDict.__init__.__globals__",
        Apply(Global("collections", "OrderedDict.__init__.__globals__"), ()),
    ),
    "pathlib.Path.touch": ("a method by dots", *_calls("pathlib", "Path.touch", MARK)),
    "operator.attrgetter": ("climb by a helper", *_calls("operator", "attrgetter", "system")),
    "copyreg._reconstructor": (
        "make an object of any class",
        *_calls("copyreg", "_reconstructor", ORDERED, Global("builtins", "object"), None),
    ),
    "copyreg.__newobj__": (
        "make an object of any class",
        *_calls("copyreg", "__newobj__", ORDERED),
    ),
    "copyreg.__newobj_ex__": (
        "the same with names",
        *_calls("copyreg", "__newobj_ex__", ORDERED, (), {}),
    ),
    "copyreg.add_extension": (
        "fill the registry that EXT1 reads",
        *_calls("copyreg", "add_extension", "os", "system", 1),
    ),
    "torch.load": ("open another file", *_calls("torch", "load", "x")),
    "torch.hub": ("fetch a model", *_calls("torch.hub", "load", "x/y", "z")),
    "torch type": (
        "have torch call a function of the file's choice",
        *_calls("torch._tensor", "_rebuild_from_type_v2", SYSTEM, None, (TOUCH,), None),
    ),
    "numpy.load": ("open another file", *_calls("numpy", "load", "x")),
    "numpy.ndarray": ("make an array past its size", *_calls("numpy", "memmap", "x")),
    "own module": (
        "call the reader",
        *_calls("generator.legacy.reader", "read_legacy_pickle", "x"),
    ),
    "own words' module": (
        "call the machine",
        *_calls("generator.legacy.pickle_machine", "run_pickle", b""),
    ),
    "unimported module": ("import by a name", *_calls("antigravity", "fly")),
    "look-alike": (
        "a Cyrillic letter in os",
        r"it names \u043es.system",
        Global("\u043es", "system"),
    ),
    "word with a space": (
        "a name that is trimmed to a word",
        "it names collections .Ord",
        Global("collections ", "OrderedDict"),
    ),
    "call of a text": ("call a name", "cannot be called", Apply("os.system", (TOUCH,))),
    "call of a dict": ("call a dict", "cannot be called", Apply({}, ())),
    "call of a result": (
        "call what a word gave",
        "cannot be called",
        Apply(Apply(ORDERED, ()), ()),
    ),
    "call with no tuple": ("arguments that are a list", "no tuple", Apply(ORDERED, [])),
}

ARMED = (
    "os.system", "posix.system", "builtins.eval", "builtins.exec", "builtins.open",
    "pickle in a pickle", "timeit", "STACK_GLOBAL", "INST", "OBJ", "reduce in a reduce",
    "call in an argument", "call in a state", "call for a key", "call thrown away",
    "call before a good object",
)  # fmt: skip
