"""Greetings in a few languages."""

GREETINGS = {
    "de": "Hallo, {}!",
    "en": "Hello, {}!",
    "es": "¡Hola, {}!",
    "fr": "Bonjour, {}!",
    "sw": "Habari, {}!",
}


def greet(name, language="en"):
    """The greeting for `name`.

    `language` is a code such as "fr" or a locale such as "fr_CA.UTF-8". Whatever is not known is greeted in
    English. An empty name greets the world.
    """
    code = language.replace("-", "_").split("_")[0].split(".")[0].lower()
    template = GREETINGS.get(code, GREETINGS["en"])
    return template.format(name.strip() or "world")
