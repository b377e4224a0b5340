# Dormouse's worker, gateway and CLI in one image.
#   worker:  docker run … dormouse dist/worker.js     (the default)
#   gateway: docker run … dormouse dist/gateway.js
#   CLI:     docker run … dormouse dist/cli.js --help
# Debian and not Alpine: the native core of Temporal's SDK needs glibc.

FROM node:20.20.2-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# Compiles to dist/, bundles the workflows, and copies mail templates and migrations there.
RUN npm run build

FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

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
