# Dormouse's worker, gateway and CLI in one image.
#   worker:  docker run … dormouse dist/worker.js     (the default)
#   gateway: docker run … dormouse dist/gateway.js
#   CLI:     docker run … dormouse dist/cli.js --help
# Debian and not Alpine: the native core of Temporal's SDK needs glibc.

FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# Compiles to dist/, bundles the workflows, and copies mail templates and migrations there.
RUN npm run build

FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
# The image has its own Node.js; the pinned one is for machines that develop.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node-linux-*

FROM base AS runtime
ENV NODE_ENV=production NODE_OPTIONS=--enable-source-maps
COPY LICENSE package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY policies ./policies
# The image's user "node", by number so that orchestrators can see that it is not root.
USER 1000:1000
ENTRYPOINT ["node"]
CMD ["dist/worker.js"]
