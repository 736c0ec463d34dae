"""What English-speaking customers write, by cause. `{…}` are filled by words.py; `other` drives nobody away."""

from __future__ import annotations

OPENERS = (
    "", "", "", "", "Hi, ", "Hello, ", "Good morning. ", "To whom it may concern: ", "This is the {times}th time I report this. ",
    "Honestly, ", "I have been with you for {years} years. ", "Sorry to bother you again but ", "Hi team, ", "Look, ",
)
CLOSERS = (
    "", "", "", "", " Please fix this.", " Please call me back.", " Thanks.", " When will this be solved?", " Very disappointed.",
    " I expect an answer.", " This is not acceptable.", " Please advise.", " Regards", " Not happy at all.", " ASAP please!!",
)
THREATS = (
    " I will port my number if this goes on.", " Otherwise I am switching.", " I am looking at other carriers now.",
    " Next month I am gone.", " I would rather cancel.", " Give me one reason to stay.",
)

COMPLAINTS: dict[str, tuple[str, ...]] = {
    "network": (
        "my calls keep dropping at {place}, it has been {days} days now",
        "there is no signal at {place}, not even one bar",
        "the internet is painfully slow in the evening, speed test shows {small} Mbps",
        "I pay for 5G and get a weak 4G connection at {place}",
        "calls fail {times} times before I get through",
        "the other side cannot hear me, the line is full of gaps and then disconnects",
        "is the tower near {place} broken? nobody here has coverage",
        "video calls freeze every few minutes, mobile data is useless since last week",
        "reception in my building has become terrible, my neighbour on another network has full bars",
        "broadband drops every night around nine, restarted the router {times} times",
    ),
    "process": (
        "I was transferred {times} times and had to explain everything again each time",
        "I waited {minutes} minutes on hold and then the call was cut",
        "the app says go to the store, the store says use the app",
        "changing the owner of the line takes {days} days and a pile of paperwork",
        "I went to your shop {times} times and every time another document was missing",
        "the form on the website returns an error, I cannot complete my request",
        "resetting a password should not need {times} steps and an ID photo",
        "queue of {minutes} minutes just to hand in a form",
        "my application has been pending for {days} days and nobody can tell me the status",
    ),
    "plan_fit": (
        "I never use more than a tenth of my data, is there a smaller plan",
        "my data runs out by day {day} and the extra costs {yuan} every month, this plan does not suit me",
        "I hardly make calls, why do I pay for all these minutes",
        "charged {yuan} for going over the allowance again, which plan would fit me",
        "this plan is too big for my mother, she only makes calls",
        "the bundle includes apps I do not use, I need plain data",
        "I keep buying top-up data packs, my allowance is too small",
        "the family bundle makes no sense for one person",
    ),
    "competitor_price": (
        "another operator offers the same data for {less}, you charge {fee}",
        "my colleague switched and saves {yuan} a month, can you match that price",
        "new customers get it for {less} and I pay {fee}, the competition treats me better",
        "I got an offer of {less} unlimited from a competitor, what can you do",
        "you are the most expensive of the three carriers I compared",
        "the other company gives half price when you bring your number",
        "a rival shop opened downstairs, {less} for the whole family including broadband",
    ),
    "plan_price": (
        "why did my monthly fee go up from {fee} to {more} without notice",
        "my discount ended and now the bill is {yuan} higher, nobody told me",
        "you raised the price of my plan, I never agreed to that",
        "my bill jumped by {yuan} this month because of a price change",
        "you promised {fee} per month and now I am charged {more}",
        "the contract ended and the rate went up automatically",
        "a text message is not a proper way to announce a price increase",
        "same plan, same use, {yuan} more to pay",
    ),
    "after_sales": (
        "the phone I got with the contract broke after {days} days, repair has had it for weeks",
        "the technician did not show up, again, I took a day off for nothing",
        "the repair lasted one day and now it is broken again",
        "my ticket was closed as solved but nothing was fixed",
        "you want me to pay for the modem although it is under warranty",
        "I have reported this fault {times} times and still no repair",
        "returning a faulty device should not take {days} days",
        "the new SIM never worked properly and nobody follows up",
    ),
    "care": (
        "{years} years a customer and nobody ever asks how things are",
        "I was promised a call back within {days} days, nothing happened",
        "your agent was rude and hung up on me",
        "all I get is a chatbot, nobody listens",
        "our account manager left and we were never told who replaced him",
        "you only remember me when you want to sell something",
        "my messages go unanswered, I feel ignored",
        "loyalty means nothing to you, no benefit at all for old customers",
    ),
    "personal": (
        "do you support eSIM for my watch? every time I ask the answer is no",
        "I need to share data between my two numbers and your system cannot do it",
        "I travel a lot, is there a roaming pack that fits? none of yours does",
        "I would like to pause my plan every other month, I work at sea",
        "I need an itemised invoice by project, you cannot provide it",
        "looking for a calls-only line with location for my child, you have none",
        "two numbers on one SIM is what I need, you do not offer it",
        "I am hard of hearing and need text support and large print bills",
    ),
    "regulation": (
        "why must I verify my identity again, and why was I blocked without warning",
        "my line was stopped for suspected fraud, I did nothing wrong, the appeal takes {days} days",
        "the new rule on the number of SIM cards means I lose a line, why",
        "international calls are restricted by regulation, my business depends on them",
        "real-name registration needs me in the store, I am abroad",
        "the consent form is forced on me, is this even compliant",
        "my ID expired and the law says you block me, a notice would have been nice",
    ),
    "environment": (
        "I am moving to {city} next month, can I keep this number",
        "our new building only has another provider's fibre",
        "my employer moved all staff to another carrier",
        "I have graduated, what happens to my campus plan",
        "I now work in {city} and do not need a local plan",
        "I closed my shop, these lines are no longer needed",
        "my job gives me a phone now, I hardly use this one",
        "leaving the country for two years, no point in paying",
    ),
    "other": (
        "how do I reset my service password", "where can I download my invoice", "I lost my phone and need a new SIM",
        "how do points work", "too many spam calls, can you block them", "how much data do I have left",
        "how do I set up call forwarding", "please explain the items on my statement",
    ),
}

REMARKS: dict[str, tuple[str, ...]] = {
    "good": ("all good", "great service", "solved quickly, thanks", "happy so far", "friendly agent", "works fine"),
    "network": ("bad signal", "slow internet", "dropped calls", "no coverage"),
    "process": ("too complicated", "long wait", "transferred around", "too many steps"),
    "plan_fit": ("plan does not suit me", "not enough data", "too much data I never use"),
    "competitor_price": ("cheaper elsewhere", "competitors offer more"),
    "plan_price": ("price went up", "bill too high now", "price increase"),
    "after_sales": ("never repaired", "technician no-show", "problem not solved"),
    "care": ("nobody calls back", "rude agent", "feel ignored"),
    "personal": ("no eSIM", "not what I need", "not flexible"),
    "regulation": ("blocked for verification", "too many ID checks"),
    "environment": ("moving away", "new job, new carrier", "no fibre in my building"),
    "other": ("ok", "average", "nothing special", "no opinion"),
}
CITIES = ("Shanghai", "Beijing", "Shenzhen", "Chengdu", "Suzhou", "Guangzhou", "Singapore")
PLACES = ("home", "the office", "my shop", "the metro", "our village", "the dormitory", "the mall", "the station")
