/** The page of the example. The library says what an end means, in words of its own. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Inactive tokens</title>
</head>
<body>
<main>
<h1>Inactive tokens</h1>
<p id="duration"></p>
<p id="state" role="status"></p>
<form id="sign-in">
<label>E-mail <input name="identifier" type="email" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>
<section id="signed-in" hidden>
<nav><a href="#/work">Work</a> <a href="#/activity">My activity</a></nav>
<div id="work-view">
<h2>Work</h2>
<button id="work">Work</button>
</div>
<div id="activity-view">
<h2>My activity</h2>
<ol id="log"></ol>
</div>
<button id="sign-out">Sign out</button>
</section>
</main>
<script src="/dormouse-tokens.js"></script>
<script src="/app.js"></script>
</body>
</html>
`;
