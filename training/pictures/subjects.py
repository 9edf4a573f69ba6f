"""What the built-in model can draw: the words, their pictures' code points, and the colours.

Only nouns that read at 128 pixels: no flags, no persons, no brands.
"""

from __future__ import annotations

SUBJECTS: dict[str, str] = dict(
    line.split(" ", 1)[::-1]
    for line in """\
🍎 apple
🍐 pear
🍊 orange
🍋 lemon
🍌 banana
🍉 watermelon
🍇 grapes
🍓 strawberry
🍒 cherries
🍍 pineapple
🥥 coconut
🥝 kiwi
🍅 tomato
🥑 avocado
🥦 broccoli
🥕 carrot
🌽 corn
🌶 chili
🍄 mushroom
🍞 bread
🥐 croissant
🥨 pretzel
🧀 cheese
🍔 hamburger
🍕 pizza
🌭 hotdog
🍟 fries
🍩 donut
🍪 cookie
🍰 cake
🧁 cupcake
🍦 icecream
🍭 lollipop
🍬 candy
🍿 popcorn
☕ coffee
🫖 teapot
🍷 wine
🍺 beer
🐱 cat
🐶 dog
🐭 mouse
🐰 rabbit
🦊 fox
🐻 bear
🐼 panda
🐨 koala
🐯 tiger
🦁 lion
🐮 cow
🐷 pig
🐸 frog
🐵 monkey
🐧 penguin
🐦 bird
🦉 owl
🦆 duck
🦋 butterfly
🐝 bee
🐞 ladybug
🐌 snail
🐢 turtle
🐙 octopus
🦀 crab
🐟 fish
🐳 whale
🐘 elephant
🦄 unicorn
🦩 flamingo
🌳 tree
🌲 fir
🌴 palm
🌵 cactus
🌻 sunflower
🌷 tulip
🌹 rose
🌸 blossom
🍁 maple
🍀 clover
☀ sun
🌙 moon
⭐ star
☁ cloud
⚡ lightning
❄ snowflake
🔥 fire
💧 drop
🌍 globe
🌋 volcano
🚗 car
🚌 bus
🚜 tractor
✈ airplane
🚀 rocket
🚁 helicopter
⛵ sailboat
⚓ anchor
🏠 house
🏰 castle
⛺ tent
☂ umbrella
🎈 balloon
🎁 gift
🧸 teddy
⚽ football
🏀 basketball
🎸 guitar
🎺 trumpet
📕 book
✏ pencil
🔑 key
🔒 lock
💡 lightbulb
🔨 hammer
🧲 magnet
🔔 bell
👑 crown
💎 diamond
🎩 hat
👟 sneaker
👕 shirt
👗 dress
🧦 socks
👓 glasses
🎒 backpack
⏰ clock
📷 camera
📺 television
✉ envelope
🏆 trophy
❤ heart
👻 ghost
🤖 robot
🎃 pumpkin
⛄ snowman
🪑 chair
🚪 door
🧹 broom
💣 bomb
🪁 kite""".splitlines()
)
"""Subject word -> the character whose Noto Emoji artwork shows it."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "airplane": ("plane",),
    "balloon": ("red balloon",),
    "blossom": ("cherry blossom",),
    "cake": ("slice of cake",),
    "chili": ("chili pepper", "hot pepper"),
    "clover": ("four leaf clover",),
    "coffee": ("cup of coffee",),
    "diamond": ("gem", "gemstone"),
    "donut": ("doughnut",),
    "drop": ("water drop",),
    "envelope": ("letter",),
    "fir": ("pine tree", "fir tree"),
    "fire": ("flame",),
    "football": ("soccer ball",),
    "fries": ("french fries",),
    "gift": ("present", "gift box"),
    "globe": ("earth",),
    "hat": ("top hat",),
    "hotdog": ("hot dog",),
    "icecream": ("ice cream",),
    "lightbulb": ("light bulb",),
    "maple": ("maple leaf",),
    "moon": ("crescent moon",),
    "palm": ("palm tree",),
    "sneaker": ("shoe",),
    "television": ("tv",),
    "teddy": ("teddy bear",),
    "wine": ("glass of wine", "wine glass"),
}

HUES: dict[str, float] = {
    "red": 0.0,
    "orange": 28.0,
    "yellow": 52.0,
    "green": 125.0,
    "blue": 215.0,
    "purple": 275.0,
    "pink": 330.0,
}
"""Colour word -> hue in degrees."""

RECOLOURED = (
    "apple",
    "balloon",
    "bird",
    "book",
    "butterfly",
    "car",
    "diamond",
    "fish",
    "heart",
    "mushroom",
    "star",
    "tulip",
    "umbrella",
)
"""Subjects that are also shown in every colour of `HUES`."""

OPEN = frozenset({"blossom", "cloud", "drop", "fire", "ghost", "glasses", "snowflake", "wine", "lightbulb", "broom"})
"""Subjects whose artwork is thin or partly see-through: not judged on an opaque core."""
