/** The page of the example. What a token's end means is said in words (docs/inactive-tokens.md, "Answers"). */
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
<p id="end" role="status"></p>
<form id="sign-in">
<p id="duration"></p>
<label>E-mail <input name="identifier" type="email" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>
<section id="signed-in" hidden>
<p id="state" role="status"></p>
<p id="warning" role="alert"></p>
<button id="work">Work</button>
<button id="sign-out">Sign out</button>
<h2>My activity</h2>
<ol id="log"></ol>
</section>
</main>
<script type="module" src="/app.js"></script>
</body>
</html>
`;
