// The body of Kratos' after-hooks for Dormouse: who, and in which flow. Nothing else may leave: ctx also holds the
// person's cookies, headers and traits.
local flows = ['login', 'registration', 'recovery', 'settings'];
// The address that the flow's form is sent to; it stays the flow's own when an identity provider answers elsewhere.
local isFlow(ctx, name) = std.length(std.findSubstr('/self-service/' + name, ctx.flow.ui.action)) > 0;

function(ctx) {
  identity_id: ctx.identity.id,
  flow: [name for name in flows if isFlow(ctx, name)][0],
}
