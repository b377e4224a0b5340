// The body of the hook that asks Dormouse whether an identifier belonged to a deleted account. Name here the traits that
// are identifiers in your identity schema; nothing else may leave: ctx also holds the person's cookies and headers.
local identifiers = ['email', 'username'];

function(ctx) {
  identifiers: [
    ctx.identity.traits[name]
    for name in identifiers
    if std.objectHas(ctx.identity.traits, name) && std.isString(ctx.identity.traits[name])
  ],
}
