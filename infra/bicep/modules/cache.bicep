metadata description = 'Managed Redis: the pipes between the steps of a turn, tickets and deduplication.'

param name string
param location string
param tags object
param workspaceId string

@description('Object id of the identity of the app; it is also the Redis user name.')
param appPrincipalId string

@description('Size; the unclustered policy goes up to 25 GB.')
param skuName string

resource cluster 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: skuName }
  properties: {
    minimumTlsVersion: '1.2'
    highAvailability: 'Enabled'
    publicNetworkAccess: 'Enabled'
  }
}

resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: cluster
  name: 'default'
  properties: {
    clientProtocol: 'Encrypted'
    port: 10000
    // One XREAD reads many pipes; on a cluster their keys would stand in different slots and the command be refused.
    clusteringPolicy: 'NoCluster'
    evictionPolicy: 'NoEviction' // a pipe that loses entries loses words; every key has a time to live
    accessKeysAuthentication: 'Disabled'
  }
}

resource access 'Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments@2025-07-01' = {
  parent: database
  name: 'app${uniqueString(appPrincipalId)}' // letters and digits only
  properties: {
    accessPolicyName: 'default'
    user: { objectId: appPrincipalId }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: cluster
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource connections 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: database
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'ConnectionEvents', enabled: true }]
  }
}

output host string = cluster.properties.hostName
output port int = database.properties.port
