"""Short word lists that names and addresses are put together from, and names that trip careless programs."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Olivia Charlotte Amelia Isla Matilda Grace Mia Zoe Chloe Ruby Noah Oliver Jack Henry William Leo Thomas Liam "
    "Lachlan Angus Priya Arjun Mei Wei Linh Minh Fatima Omar Siobhán Zoë André José Chloé Jürgen Łukasz Søren"
)
LAST_NAMES = _words(
    "Smith Jones Williams Brown Wilson Taylor Nguyen Johnson Martin White Anderson Walker Thompson Ryan Robinson "
    "Kelly King Campbell Singh Patel Chen Li Tran O'Brien O'Connor McDonald Papadopoulos D'Angelo Müller García "
    "Kowalczyk Đặng Fitzgerald van-der-Berg Tjakamarra Yunupingu"
)
PLACES = (
    ("Parramatta", "NSW", "2150"),
    ("Newtown", "NSW", "2042"),
    ("Dubbo", "NSW", "2830"),
    ("Orange", "NSW", "2800"),
    ("Fitzroy", "VIC", "3065"),
    ("Geelong", "VIC", "3220"),
    ("Ballarat", "VIC", "3350"),
    ("Moe", "VIC", "3825"),
    ("Fortitude Valley", "QLD", "4006"),
    ("Toowoomba", "QLD", "4350"),
    ("Cairns", "QLD", "4870"),
    ("Norwood", "SA", "5067"),
    ("Tanunda", "SA", "5352"),
    ("Whyalla", "SA", "5600"),
    ("Subiaco", "WA", "6008"),
    ("Broome", "WA", "6725"),
    ("Kununurra", "WA", "6743"),
    ("Sandy Bay", "TAS", "7005"),
    ("Palmerston", "NT", "0830"),
)
STREETS = _words("High George Station Church Railway Victoria Banksia Wattle Jacaranda Murray Kookaburra Eyre")
STREET_KINDS = _words("Street Road Avenue Parade Lane Terrace Crescent")
TRADES = _words(
    "Plumbing Electrical Roofing Carpentry Tiling Painting Landscaping Concreting Glazing Scaffolding Fencing "
    "Excavation Cabinets Solar Airconditioning Pest-Control Locksmiths Joinery Steelworks Demolition"
)
FIRM_WORDS = _words(
    "Southern Coastal Harbour Summit Outback Banksia Eureka Pacific Redgum Wallaby Ironbark Blue-Gum Magpie Opal "
    "Murray Capricorn Kimberley Bass-Strait Snowy Coral Golden Anzac Kelpie Billabong Waratah Jarrah Lyrebird"
)
FIRM_ENDS = ("Pty Ltd", "Pty Ltd", "Group", "& Sons", "Services", "Holdings Pty Ltd", "Trust", "Co-op", "Australia")

#: All of these are legal in Xero, and must arrive unchanged.
AWKWARD_NAMES = (
    "Robert'); DROP TABLE contact;--",
    "🔧 Spanner Monkeys 🐨",
    "Müller & Söhne GmbH",
    "Nguyễn Văn Phúc",
    "株式会社大阪建設",
    "Te Whānau o Ōtākou",
    'O\'Brien "The Sparkie" Ltd',
    '=HYPERLINK("http://example.com","Click")',
    "NULL",
    "100% Plumbing \\ Gas; {Hot} $water",
    "שירותי אינסטלציה",
    "Cafe\u0301 Décor, 50/50",
    "<script>alert('tap')</script>",
    "Double  space &amp; Sons",
    "A" * 120 + " Long Name Holdings " + "Z" * 115,
    "Zero\u200bWidth Joinery",
)
